import { type Device, type HotDevice, type HotElement, withoutDevice } from "../../domain/device.ts";
import { formatDomain } from "../../domain/document.ts";
import { REPORT_FAULT, SvirtError } from "../../errors.ts";
import { planDetach } from "../../plan/actions/hotplug.ts";
import { guestPaths } from "../../plan/paths.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import { refuseUsedController } from "../../qemu/hotplug/controller.ts";
import { hotplugOf, nameDevice } from "../../qemu/hotplug/families.ts";
import type { Guest } from "../../qemu/model/guest.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { pluggedId } from "../guest/plugged-id.ts";
import { refuseBusyDisk } from "../guest/refuse-busy.ts";
import { runningGuest } from "../guest/running-guest.ts";
import type { DecidedChange } from "./change-guest.ts";

/** Finds a device of a running guest's domain, in the record of the guest. */
export type FindDevice = (running: ReturnType<typeof runningGuest>, record: GuestRecord) => Device;

/**
 * Decides how a running guest loses a device. Throws the refusals of devices that cannot be unplugged, and
 * the errors of `find`.
 */
export function decideDetach(instance: Instance, record: GuestRecord, find: FindDevice): DecidedChange {
  const running = runningGuest(record);
  const { domain, guest } = running;
  const device = find(running, record);
  hotplugOf(device).refuseUnplug(device.value);
  refuseBusyDisk(record, device);
  const id = idOf(record, guest, device);
  refuseLeftOver(record, device, id);
  const steps = planDetach(record.steps, id, guestPaths(instance.paths, record.uuid).monitor);
  return { ...steps, xml: formatDomain(withoutDevice(domain, device)) };
}

/** Returns the device's name in QEMU. Throws "failed". */
export function idOf(record: GuestRecord, guest: Guest, device: Device): string {
  const id = pluggedId(listQemuObjects(record.steps), guest, device);
  if (id !== undefined) return id;
  throw new SvirtError(
    `Cannot find ${nameDevice(device)}: it is not among the devices that svirt passed to QEMU`,
    {
      kind: "failed",
      remedy: REPORT_FAULT,
    },
  );
}

type LeftOver<E extends HotElement> = (record: GuestRecord, device: HotDevice<E>, id: string) => void;

/**
 * Refusals of devices used by others, or with parts from the guest's start. "none": each can be detached
 * completely.
 */
const LEFT_OVER: { readonly [E in HotElement]: LeftOver<E> | "none" } = {
  disk: "none",
  controller: (record, controller) => refuseUsedController(runningGuest(record).domain, controller),
  interface: "none",
  rng: "none",
  channel: refuseOtherChannel,
  hostdev: refuseGivenAtStart,
};

function refuseLeftOver<E extends HotElement>(record: GuestRecord, device: Device<E>, id: string): void {
  const refuse: LeftOver<E> | "none" = LEFT_OVER[device.element];
  if (refuse !== "none") refuse(record, device.value, id);
}

/**
 * Refuses a SCSI device from the guest's start: QEMU keeps it open under a descriptor number, which no
 * command removes.
 */
function refuseGivenAtStart(record: GuestRecord, device: HotDevice<"hostdev">, id: string): void {
  if (device.type !== "scsi") return;
  const { devices, nodes } = listQemuObjects(record.steps);
  const filename = nodes.get(String(devices.get(id)?.["drive"]))?.["filename"];
  if (typeof filename !== "string" || !filename.startsWith("/proc/self/fd/")) return;
  throw new SvirtError(
    "Operation not supported: the guest was started with that SCSI device, which QEMU cannot release",
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Detach it from the definition (--config), and start the guest again.",
    },
  );
}

/** Refuses a channel whose backend svirt or the start created: the backend would remain. */
function refuseOtherChannel(record: GuestRecord, device: HotDevice<"channel">, id: string): void {
  const { chardevs, devices } = listQemuObjects(record.steps);
  if (chardevs.has(String(devices.get(id)?.["chardev"]))) return;
  throw new SvirtError(
    `Operation not supported: a channel of type '${device.type}' cannot be detached if the guest was started with it`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Detach it from the definition (--config), and start the guest again.",
    },
  );
}
