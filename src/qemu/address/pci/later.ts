import type { Devices } from "../../../domain/devices.ts";
import { inputBus } from "../../default-devices.ts";
import { videoConnection, virtioConnection } from "./connection.ts";
import type { Placer } from "./placer.ts";

/** Assigns addresses to the devices that follow disks. qemuDomainAssignDevicePCISlots() of libvirt */
export function placeLater(devices: Devices, place: Placer): Devices {
  const placeBalloon = place<VirtioBalloon>("memballoon", ({ model }) => virtioConnection(model));
  const balloon = devices.memballoon;
  const memballoon = isVirtioBalloon(balloon) ? placeBalloon(balloon, 0) : balloon;
  const rngs = devices.rngs.map(place("rng", ({ model }) => virtioConnection(model)));
  const watchdogs = devices.watchdogs.map(
    place("watchdog", ({ model }) => (model === "i6300esb" ? "pci" : undefined)),
  );
  const videos = devices.videos.map(place("video", videoConnection));
  const shmems = devices.shmems.map(place("shmem", () => "pci"));
  const placeInput = place<PlacedInput>("input", (input) =>
    inputBus(input) === "virtio" ? "pcie" : undefined,
  );
  const inputs = devices.inputs.map((input, index) =>
    input.type === "evdev" ? input : placeInput(input, index),
  );
  const serials = devices.serials.map(
    place("serial", ({ target }) => (target?.type === "pci-serial" ? "pci" : undefined)),
  );
  const before = { ...devices, rngs, watchdogs, videos, shmems, inputs, serials };
  return placeLast({ ...before, ...present({ memballoon }) }, place);
}

function placeLast(devices: Devices, place: Placer): Devices {
  const placeIommu = place<VirtioIommu>("iommu", () => "integrated");
  const iommu = devices.iommu?.model === "virtio" ? placeIommu(devices.iommu, 0) : devices.iommu;
  const placeVsock = place<NonNullable<Devices["vsock"]>>("vsock", ({ model }) => virtioConnection(model));
  const vsock = devices.vsock && placeVsock(devices.vsock, 0);
  const placeMemory = place<PciMemory>("memory", () => "pcie");
  const memories = devices.memories.map((device, index) =>
    device.model === "virtio-mem" || device.model === "virtio-pmem" ? placeMemory(device, index) : device,
  );
  const cryptos = devices.cryptos.map(place("crypto", ({ model }) => virtioConnection(model)));
  const placePstore = place<NonNullable<Devices["pstore"]>>("pstore", () => "pci");
  const pstore = devices.pstore && placePstore(devices.pstore, 0);
  const placePanic = place<PciPanic>("panic", () => "pci");
  const panics = devices.panics.map((panic, index) =>
    panic.model === "pvpanic" ? placePanic(panic, index) : panic,
  );
  return { ...devices, memories, cryptos, panics, ...present({ iommu, vsock, pstore }) };
}

type PlacedInput = Exclude<Devices["inputs"][number], { readonly type: "evdev" }>;
type VirtioIommu = Extract<NonNullable<Devices["iommu"]>, { readonly model: "virtio" }>;
type PciMemory = Extract<Devices["memories"][number], { readonly model: "virtio-mem" | "virtio-pmem" }>;
type PciPanic = Extract<Devices["panics"][number], { readonly model: "pvpanic" }>;
type VirtioBalloon = Exclude<NonNullable<Devices["memballoon"]>, { readonly model: "none" }>;

function isVirtioBalloon(found: Devices["memballoon"]): found is VirtioBalloon {
  return found !== undefined && found.model !== "none";
}

/** Removes the keys whose value is undefined. */
function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
