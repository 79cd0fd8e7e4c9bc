import { type Device, nameDevice } from "../../domain/device.ts";
import type { Channel } from "../../domain/devices/chardev.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import { diskBus } from "../../domain/devices/disk/facts.ts";
import type { HostDevice } from "../../domain/devices/hostdev.ts";
import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import type { Domain } from "../../domain/domain.ts";
import { canonical } from "../../domain/forms/canonical.ts";
import { SvirtError } from "../../errors.ts";
import { fillHostdev } from "../default-devices.ts";
import { fillChannel } from "../devices/chardev/defaults.ts";
import type { Guest } from "../model/guest.ts";

const NEEDS_START = "Change the definition (--config): it counts at the next start.";

/** Refuses a device that cannot be hot-plugged. qemuDomainAttachDeviceDiskLiveInternal() of libvirt */
export function refuseHotPlug(device: Device): void {
  if (device.element === "interface") refuseInterface(device.value);
  if (device.element === "hostdev") refuseHostDevice(device.value);
  if (device.element === "channel") refuseChannel(device.value);
  if (device.element !== "disk") return;
  const { value } = device;
  if (!isHotBus(value)) {
    throw cannot(`disk bus '${diskBus(value)}' cannot be hotplugged`, "Write bus='virtio', 'scsi' or 'usb'.");
  }
  if (value.device === "cdrom" && value.source === undefined) {
    throw cannot("an empty CD-ROM drive is not hotplugged", "Give it a medium.");
  }
  if (value.transient !== undefined) throw cannot("a transient disk is not hotplugged", NEEDS_START);
  if (value.wwn !== undefined) throw cannot("a disk with a <wwn> is not hotplugged", "Leave it out.");
}

/** Refuses a disk that cannot be hot-unplugged. qemuDomainDetachPrepDisk() of libvirt */
export function refuseHotUnplug(device: Device): void {
  if (device.element !== "disk" || isHotBus(device.value)) return;
  const { device: kind = "disk" } = device.value;
  const why =
    kind === "cdrom" || kind === "floppy"
      ? `disk device type '${kind}' cannot be detached`
      : "This type of disk cannot be hot unplugged";
  throw cannot(why, NEEDS_START);
}

/** Refuses a name or a host device that the guest already uses. */
export function refuseDouble(domain: Domain, device: Device): void {
  if (device.element === "hostdev") refuseDoubleHostDevice(domain, device);
  if (device.element === "channel") refuseDoubleChannel(domain, device.value);
  if (device.element !== "disk") return;
  const { disks } = domain.devices;
  const name = device.value.target.dev;
  if (!disks.some(({ target }) => target.dev === name)) return;
  throw new SvirtError(`operation failed: target ${name} already exists`, {
    kind: "wrong-state",
    libvirt: "OPERATION_FAILED",
    remedy: "Give the disk another target, or detach that one first.",
  });
}

/** Refuses a device that needs a controller or hub that the running QEMU does not have. */
export function refuseNewControllers(before: Guest, after: Guest, device: Device): void {
  const known = new Set(before.devices.controllers.map(({ index, type }) => `${type} ${index}`));
  if (after.devices.hubs.length > before.devices.hubs.length) {
    throw cannot(
      `${nameDevice(device)} needs a USB hub, which the running guest does not have`,
      "Add <controller type='usb' model='qemu-xhci' ports='15'/> to the definition, and start the guest again.",
    );
  }
  const added = after.devices.controllers.find(({ index, type }) => !known.has(`${type} ${index}`));
  if (added === undefined) return;
  throw cannot(
    `${nameDevice(device)} needs the ${added.type} controller ${added.index}, which the running guest does not have`,
    `Add <controller type='${added.type}' index='${added.index}'/> to the definition, and start the guest again.`,
  );
}

function refuseInterface({ model, type }: NetworkInterface): void {
  if (!HOT_INTERFACES.has(type)) {
    throw cannot(`interface type '${type}' is not hotplugged`, "Write <interface type='bridge'>.");
  }
  if (model?.type === "usb-net")
    throw cannot("a network card on USB is not hotplugged", "Choose another model.");
}

/** Accepts only a socket in the guest's folder or one of another program; other backends need more than commands. */
function refuseChannel(channel: Channel): void {
  if (channel.target.type !== "virtio") throw cannot("a channel of guestfwd is not hotplugged", NEEDS_START);
  if (channel.type !== "unix") {
    throw cannot(
      `a channel of type '${channel.type}' is not hotplugged`,
      "Write type='unix', without a path.",
    );
  }
  const { source } = fillChannel(channel) as typeof channel;
  if (source?.path !== undefined && source.mode !== "connect") {
    const why = "a channel's socket is hotplugged in the guest's own folder alone";
    throw cannot(why, "Leave its path out: svirt dumpxml shows where it is.");
  }
  if (channel.log !== undefined) throw cannot("a channel with a <log> is not hotplugged", NEEDS_START);
}

/** The guest identifies a channel by its name. virDomainChrFind() of libvirt, qemu.git hw/char/virtio-serial-bus.c */
function refuseDoubleChannel({ devices }: Domain, { target }: Channel): void {
  const name = target.type === "virtio" ? target.name : undefined;
  const isSame = (one: Channel): boolean => one.target.type === "virtio" && one.target.name === name;
  if (name === undefined || !devices.channels.some(isSame)) return;
  throw new SvirtError(`operation failed: chardev already exists: the guest has a channel ${name}`, {
    kind: "wrong-state",
    libvirt: "OPERATION_FAILED",
    remedy: "svirt dumpxml shows what there is.",
  });
}

function refuseHostDevice(device: HostDevice): void {
  if (device.type === "scsi_host") throw cannot("a vhost-scsi device is not hotplugged", NEEDS_START);
  if ("ramfb" in device && device.ramfb === true) {
    throw cannot("a device with the firmware's screen is not hotplugged", "Leave ramfb out.");
  }
  if (device.address?.type === "unassigned")
    throw cannot("a device without an address is not hotplugged", "Leave the <address> out.");
}

function refuseDoubleHostDevice({ devices }: Domain, device: Extract<Device, { element: "hostdev" }>): void {
  const { source, type } = fillHostdev(device.value);
  const isSame = (one: HostDevice): boolean =>
    one.type === type && canonical(one.source) === canonical(source);
  if (!devices.hostdevs.some(isSame)) return;
  throw new SvirtError(`operation failed: ${nameDevice(device)} is the guest's already`, {
    kind: "wrong-state",
    libvirt: "OPERATION_FAILED",
    remedy: "svirt dumpxml shows what there is.",
  });
}

const HOT_INTERFACES: ReadonlySet<NetworkInterface["type"]> = new Set([
  "user",
  "bridge",
  "ethernet",
  "direct",
]);

function isHotBus(disk: Disk): boolean {
  const bus = diskBus(disk);
  return bus === "scsi" || bus === "usb" || (bus === "virtio" && (disk.device ?? "disk") === "disk");
}

function cannot(why: string, remedy: string): SvirtError {
  return new SvirtError(`Operation not supported: ${why}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy,
  });
}
