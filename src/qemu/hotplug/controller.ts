import type { Controller } from "../../domain/devices/controller.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import { controllerConnection } from "../address/pci/connection.ts";
import { formatController } from "../devices/controller/argv.ts";
import { type ControllerOf, controllersOf, type Guest } from "../model/guest.ts";
import {
  alreadyThere,
  cannotPlug,
  type DeviceHolder,
  type HotplugFamily,
  NEEDS_START,
  notFound,
} from "./family.ts";
import { isAtPci } from "./place.ts";

/**
 * Hot-plug of SCSI controllers, identified by their number. qemuDomainAttachControllerDevice(),
 * qemuDomainDetachPrepController() of libvirt
 */
export const CONTROLLER: HotplugFamily<"controller"> = {
  name: nameController,
  find: findController,
  refusePlug: ({ type }) => refuseOtherType(type, "plugged"),
  refuseUnplug: ({ type }) => refuseOtherType(type, "unplugged"),
  refuseDouble,
  place: controllerConnection,
  findAdded: ({ controllers }, device) =>
    controllers.findLast((found) => found.type === device.type && isMeant(found, device)) ?? device,
  // Its name follows from its number, and its place from the bridges.
  alone: () => ({}),
  words: formatController,
  commandsAfter: () => [],
  prefix: "scsi",
  isPlugged: (guest, { address }, { facts }) => isAtPci(guest, address, facts),
  resources: () => [],
  usesNetwork: () => false,
};

/**
 * Returns the first SCSI controller needed by a device and absent in the running guest. Its model is the
 * model of the guest's last controller. `value` is the device. qemuDomainFindOrCreateSCSIDiskController() of
 * libvirt
 */
export function findNeeded(before: Guest, after: Guest, value: object): ControllerOf<"scsi"> | undefined {
  const present = controllersOf(before.devices, "scsi");
  const known = new Set(present.map(({ index }) => index));
  const needed = controllersOf(after.devices, "scsi").find((one) => one !== value && !known.has(one.index));
  if (needed === undefined) return undefined;
  const model = present.at(-1)?.model;
  return {
    type: "scsi",
    ...(needed.index === undefined ? {} : { index: needed.index }),
    ...(model === undefined ? {} : { model }),
  };
}

/**
 * Throws "failed" with libvirt's message for a controller of a running guest that has a disk or a device of
 * the host.
 */
export function refuseUsedController({ devices }: Domain, controller: Controller): void {
  const { index } = controller;
  const onIt = ({ address }: { readonly address?: object }): boolean =>
    address !== undefined && "controller" in address && (address.controller ?? 0) === index;
  const isUsed =
    devices.disks.some((disk) => disk.target.bus === "scsi" && onIt(disk)) ||
    devices.hostdevs.some((device) => device.type === "scsi" && onIt(device));
  if (!isUsed) return;
  throw new SvirtError("operation failed: device cannot be detached: device is busy", {
    kind: "wrong-state",
    libvirt: "OPERATION_FAILED",
    remedy: `Detach the devices of ${nameController(controller)} first.`,
  });
}

function nameController({ index, type }: Controller): string {
  return index === undefined ? `controller ${type}` : `controller ${type}:${index}`;
}

function isMeant(found: Controller, meant: Controller): boolean {
  return meant.index === undefined || found.index === meant.index;
}

function refuseOtherType(type: Controller["type"], how: "plugged" | "unplugged"): void {
  if (type === "scsi") return;
  throw cannotPlug(`'${type}' controller cannot be hot ${how}.`, NEEDS_START);
}

function refuseDouble({ devices }: Domain, { index, type }: Controller, form: DeviceHolder): void {
  if (index === undefined) return;
  if (!devices.controllers.some((found) => found.type === type && found.index === index)) return;
  const why =
    form === "defined"
      ? `controller index='${index}' already exists`
      : `target ${type}:${index} already exists`;
  throw alreadyThere(form, why, "Write another index, or leave it out.");
}

/** A controller without an index is not found: virDomainControllerFind() of libvirt. */
function findController({ devices }: Domain, { index = -1, type }: Controller): Controller {
  const found = devices.controllers.find((one) => one.type === type && (one.index ?? 0) === index);
  if (found === undefined) throw notFound(`controller ${type}:${index} not found`);
  return found;
}
