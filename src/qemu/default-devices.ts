import type { HostDevice, HostDeviceOf } from "../domain/devices/hostdev.ts";
import type { Input } from "../domain/devices/input/input.ts";
import type { NetworkInterface } from "../domain/devices/network/interface.ts";
import type { RngBackend } from "../domain/devices/rng.ts";
import type { Devices } from "../domain/devices.ts";
import type { Domain } from "../domain/domain.ts";
import { changeFamilies, type FamilyChanges } from "../domain/families.ts";
import { DEFAULT_RANDOM_SOURCE } from "../domain/forms/random-source.ts";
import { fillChannel, fillProtocol, fillSerial, numberParallels } from "./devices/chardev/defaults.ts";
import { fillDisk } from "./devices/disk/defaults.ts";
import { fillFilesystem } from "./devices/filesystem.ts";
import { fillGraphics } from "./devices/graphics/defaults.ts";
import { fillRedirdev } from "./devices/redirdev.ts";
import { fillShmem } from "./devices/shmem.ts";
import { fillSmartcards } from "./devices/smartcard.ts";
import { fillTpm } from "./devices/tpm.ts";
import { fillVideos } from "./devices/video/defaults.ts";
import { fillVsock } from "./devices/vsock.ts";
import { placeMemories } from "./machine/default-memory.ts";

/** Path of QEMU for x86_64, libvirt's first choice on a PC. */
export const DEFAULT_EMULATOR = "/usr/bin/qemu-system-x86_64";

/** Path of QEMU for a 32-bit PC. */
const EMULATOR_32 = "/usr/bin/qemu-system-i386";

/** libvirt's defaults for each family. virDomainDeviceDefPostParse() */
const DEFAULTS: FamilyChanges<undefined> = {
  disks: (found) => found.map(fillDisk),
  controllers: "none",
  leases: "none",
  filesystems: (found) => found.map(fillFilesystem),
  interfaces: (found) => found.map(fillInterface),
  smartcards: fillSmartcards,
  serials: (found) => found.map(fillSerial),
  parallels: (found) => numberParallels(found.map(fillProtocol)),
  consoles: (found) => found.map(fillProtocol),
  channels: (found) => found.map(fillChannel),
  inputs: (found) => found.map(fillInput),
  tpms: (found) => found.map(fillTpm),
  graphics: (found) => found.map(fillGraphics),
  sounds: "none",
  audios: "none",
  videos: fillVideos,
  hostdevs: (found) => found.map(fillHostdev),
  redirdevs: (found) => found.map(fillRedirdev),
  redirfilter: "none",
  hubs: "none",
  watchdogs: (found) => found.map((one) => ({ ...one, action: one.action ?? "reset" })),
  memballoon: "none",
  rngs: (found) => found.map((rng) => ({ ...rng, backend: fillRandomness(rng.backend) })),
  panics: "none",
  shmems: (found) => found.map(fillShmem),
  iommu: "none",
  vsock: fillVsock,
  cryptos: "none",
  pstore: "none",
  memories: placeMemories,
};

/** Returns the devices with libvirt's defaults for all open settings. */
export function fillDevices({ devices, os }: Domain): Devices {
  return {
    ...changeFamilies(devices, DEFAULTS, undefined),
    emulator: devices.emulator ?? (os.type.arch === "i686" ? EMULATOR_32 : DEFAULT_EMULATOR),
  };
}

function fillRandomness(backend: RngBackend): RngBackend {
  if (backend.model === "random") return { ...backend, path: backend.path ?? DEFAULT_RANDOM_SOURCE };
  if (backend.model !== "egd" || backend.type !== "tcp") return backend;
  return { ...backend, protocol: { type: "raw" } };
}

function fillInput(input: Input): Input {
  if (input.type === "evdev") return input;
  if (input.type === "passthrough") return { ...input, bus: "virtio" };
  return { ...input, bus: input.bus ?? (input.type === "tablet" ? "usb" : "ps2") };
}

/**
 * Returns a host device in its stored form. The display of a mediated device defaults to off.
 * qemuDomainHostdevDefMdevPostParse()
 */
export function fillHostdev(found: HostDevice): HostDevice {
  const whole = { ...found, mode: "subsystem", managed: found.managed ?? false } as const;
  if (whole.type === "mdev") return { ...whole, display: whole.display ?? false };
  if (whole.type === "scsi") return { ...whole, source: addUnit(whole.source) };
  if (whole.type !== "pci") return whole;
  const { source } = whole;
  return {
    ...whole,
    source: { ...source, address: { ...source.address, domain: source.address.domain ?? 0 } },
  };
}

// virDomainPostParseCheckISCSIPath(): the first logical unit is 0
function addUnit(source: HostDeviceOf<"scsi">["source"]): HostDeviceOf<"scsi">["source"] {
  if (source.protocol !== "iscsi" || source.name.includes("/")) return source;
  return { ...source, name: `${source.name}/0` };
}

// qemuDomainDefaultNetModel(); a passed-through host device has no model
function fillInterface(found: NetworkInterface): NetworkInterface {
  if (found.model !== undefined || found.type === "hostdev") return found;
  const isServed = found.type === "vdpa" || found.type === "vhostuser";
  return { ...found, model: { type: isServed ? "virtio" : "rtl8139" } };
}

/**
 * Returns the bus of the XML. By default a tablet is on USB and other devices on PS/2. Passthrough is on
 * virtio, evdev on no bus. virDomainInputDefPostParse()
 */
export function inputBus(input: Input): "ps2" | "usb" | "virtio" | "none" {
  if (input.type === "evdev") return "none";
  if (input.type === "passthrough") return "virtio";
  return input.bus ?? (input.type === "tablet" ? "usb" : "ps2");
}
