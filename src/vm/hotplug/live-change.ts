import { type Device, type HotDevice, type HotElement, replaceDevice } from "../../domain/device.ts";
import { unboundDisk } from "../../domain/devices/disk/bound.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import { diskBus } from "../../domain/devices/disk/facts.ts";
import { boundAs } from "../../domain/devices/network/bound.ts";
import { formatDomain } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { refuseUnimplemented } from "../../domain/unimplemented/refuse.ts";
import { SvirtError } from "../../errors.ts";
import { type NewMedium, planAttach, planMedium } from "../../plan/actions/hotplug.ts";
import type { PluggedPeer } from "../../plan/facts/launch-spec.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { findDevice, hotplugOf, nameDevice } from "../../qemu/hotplug/families.ts";
import { formatHotDevice, formatMedium, type PluggedGuest, plugDevice } from "../../qemu/hotplug/plug.ts";
import type { LaunchPeer } from "../../qemu/launch.ts";
import { deleteCommands } from "../../qemu/monitor/plug-commands.ts";
import type { QmpCommand } from "../../qemu/monitor/qmp.ts";
import { refuseUndefinable } from "../../qemu/stored-domain.ts";
import { bindInterface, refuseOtherFloor } from "../../resolve/networks.ts";
import { bindDisk } from "../../resolve/volumes.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { ChangeRequest, DecidedChange } from "../change/change-guest.ts";
import { decideDetach, type FindDevice, idOf } from "../change/decide-detach.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { planHostDetach } from "../node-device/detach-from-host.ts";
import { listDevicePaths } from "./device-paths.ts";
import { decideNewDevice, decidePeer, freeNames, resolveDevice } from "./new-files.ts";
import { bindPassthrough, decidePassed, keepOnly, nameFiles, passedOf } from "./new-passthrough.ts";
import { addTapName, decideNewTap, planTapChange } from "./new-tap.ts";
import { refuseOffline } from "./refuse-offline.ts";
import { findDrive, refuseOtherInterface } from "./update-rules.ts";

/**
 * Returns the change for attaching a device to a running guest. Throws the refusals of devices without
 * hot-plug.
 */
export function attachLive(instance: Instance, device: Device): ChangeRequest {
  const what = `attach ${nameDevice(device)}`;
  return {
    what,
    paths: () => listDevicePaths(instance, device),
    passed(guest) {
      if (passedOf(device) === undefined) return undefined;
      const { domain } = plugDevice(runningGuest(guest).domain, bindPassthrough(instance, device));
      refuseUnimplemented(domain, what);
      return keepOnly(domain, device);
    },
    decide: (guest) => decideAttach(instance, guest, bindPassthrough(instance, bindDevice(instance, device))),
  };
}

/** Returns the change for detaching the device identified by `meant` from a running guest. */
export function detachLive(instance: Instance, meant: Device): ChangeRequest {
  return detachFound(instance, nameDevice(meant), ({ domain }) => findDevice(domain, meant));
}

/** Returns the change for detaching a device found in the record of its running guest. */
export function detachFound(instance: Instance, name: string, find: FindDevice): ChangeRequest {
  return { what: `detach ${name}`, decide: (guest) => decideDetach(instance, guest, find) };
}

type Bind<E extends HotElement> = (instance: Instance, value: HotDevice<E>) => HotDevice<E>;

/**
 * Resolves a device as in the XML of a running guest. "none": the running guest has it in the same form as
 * the definition.
 */
const BOUND: { readonly [E in HotElement]: Bind<E> | "none" } = {
  disk: (instance, value) => bindDisk(instance, value, "/disk"),
  interface: (instance, value) => bindInterface(instance, value, { place: "/interface" }),
  controller: "none",
  rng: "none",
  channel: "none",
  hostdev: "none",
};

/** Resolves an interface's network to its bridge or device, and a disk's volume to its file. */
function bindDevice<E extends HotElement>(instance: Instance, device: Device<E>): Device<E> {
  const bind: Bind<E> | "none" = BOUND[device.element];
  return bind === "none" ? device : { ...device, value: bind(instance, device.value) };
}

/** A new medium for a drive of a running guest, or none. */
export interface MediumChange {
  readonly target: string;
  readonly force: boolean;
  /** Returns the drive with its new medium. Throws if the change is impossible. */
  change(drive: Disk): Disk;
}

/** Returns the change of the medium in a drive of a running guest. */
export function changeMediumLive(instance: Instance, options: MediumChange): ChangeRequest {
  return {
    what: `change the medium of ${options.target}`,
    paths: (guest) => listMediumPaths(instance, guest, options),
    decide: (guest) => decideMedium(instance, guest, options),
  };
}

/**
 * Returns the change of the link state, the packet filter and the limits of a running guest's network card.
 */
export function setLinkLive(instance: Instance, to: Device<"interface">): ChangeRequest {
  return { what: `set the link of ${nameDevice(to)}`, decide: (guest) => decideLink(instance, guest, to) };
}

function listMediumPaths(instance: Instance, record: GuestRecord, options: MediumChange): readonly string[] {
  const old = findDrive(runningGuest(record).domain, options.target, "running");
  return listDevicePaths(instance, { element: "disk", value: options.change(unboundDisk(old.value)) });
}

function decideAttach(instance: Instance, record: GuestRecord, device: Device): DecidedChange {
  const running = runningGuest(record).domain;
  const plugged = plugDevice(running, device);
  refuseUnimplemented(plugged.domain, `attach ${nameDevice(device)}`);
  refuseOffline(instance, record, device);
  // Empty except in a dry run: the devices are detached already.
  const taken = planHostDetach(instance, keepOnly(plugged.domain, device));
  const resolved = resolveDevice(instance, plugged.device, taken.names);
  const passed = decidePassed(instance, record, { ...plugged, resolved });
  const names = freeNames(record, hotplugOf(device));
  const tap = decideNewTap(instance, record, { device: plugged.device, names });
  const peers = decidePeer(record, plugged.device, { resolved, name: names.peer });
  const { folder: secretFolder, workFolder } = guestPaths(instance.paths, record.uuid);
  const named = nameFiles(plugged.device, resolved);
  const facts = { chains: resolved.chains, names, folder: workFolder, secretFolder, named };
  const controllers = plugged.needed.map((one) => formatHotDevice(one.guest, one.device, facts).commands);
  const words = formatHotDevice(plugged.guest, plugged.device, {
    ...facts,
    peers: placed(device, peers),
    taps: tap === undefined ? [] : [tap.passed],
  });
  const added = decideNewDevice(instance, record, { resolved, peers, words });
  const whole = {
    ...added,
    controllers,
    ...(tap === undefined ? {} : { tap }),
    ...(passed === undefined ? {} : { passed }),
  };
  // The plugged domain is completed as for a start, which chooses the ports of displays.
  const devices = { ...plugged.domain.devices, graphics: running.devices.graphics };
  const xml = formatDomain(addTapName({ ...plugged.domain, devices }, plugged.device, tap));
  const { after, steps } = planAttach(whole, monitorOf(instance, record));
  const behind = plugged.needed.length === 0 ? undefined : behindOf(running, plugged, controllers);
  return { steps: [...taken.steps, ...steps], after, xml, ...(behind === undefined ? {} : { behind }) };
}

/** Returns the controllers that come with a device: they stay if QEMU refuses the device. */
function behindOf(
  running: Domain,
  { needed }: PluggedGuest,
  commands: readonly (readonly QmpCommand[])[],
): NonNullable<DecidedChange["behind"]> {
  return needed.map(({ domain }, at) => {
    const devices = { ...domain.devices, graphics: running.devices.graphics };
    const { device = "" } = deleteCommands(commands[at] ?? []);
    return { device, xml: formatDomain({ ...domain, devices }) };
  });
}

function decideMedium(instance: Instance, record: GuestRecord, options: MediumChange): DecidedChange {
  const { domain, guest } = runningGuest(record);
  const old = findDrive(domain, options.target, "running");
  const before = unboundDisk(old.value);
  const asked = options.change(before);
  if (JSON.stringify(asked.source) === JSON.stringify(before.source)) {
    return { steps: [], after: [], xml: record.xml };
  }
  const value = bindDisk(instance, asked, "/disk");
  refuseUsbDrive(value);
  const changed = replaceDevice(domain, old, { element: "disk", value });
  refuseUndefinable(changed);
  refuseUnimplemented(changed, `change the medium of ${options.target}`);
  const to = value.source === undefined ? {} : { to: newMedium(instance, record, value) };
  const medium = { id: idOf(record, guest, old), force: options.force, ...to };
  const steps = planMedium(record.steps, medium, monitorOf(instance, record));
  return { ...steps, xml: formatDomain(changed) };
}

function newMedium(instance: Instance, record: GuestRecord, disk: Disk): NonNullable<NewMedium["to"]> {
  const device = { element: "disk", value: disk } as const;
  const resolved = resolveDevice(instance, device);
  const names = freeNames(record, hotplugOf(device));
  const peers = decidePeer(record, device, { resolved, name: names.peer });
  const { folder: secretFolder } = guestPaths(instance.paths, record.uuid);
  const facts = { chains: resolved.chains, names, secretFolder, peers: placed(device, peers) };
  const { node: top, ...words } = formatMedium(runningGuest(record).guest, disk, facts);
  return { node: top, device: decideNewDevice(instance, record, { resolved, peers, words }) };
}

/**
 * Returns a device's connections with its place. Its arguments are formatted as if it were the only such
 * device.
 */
function placed({ element }: Device, peers: readonly PluggedPeer[]): readonly LaunchPeer[] {
  return peers.map(({ name }) => ({ name, place: `/domain/devices/${element}[1]` }));
}

function decideLink(instance: Instance, record: GuestRecord, to: Device<"interface">): DecidedChange {
  const { domain, guest } = runningGuest(record);
  const old = findDevice<"interface">(domain, to);
  const other = refuseOtherInterface(old, { ...to, value: boundAs(to.value, old.value) });
  refuseOtherFloor(instance, old.value, other.value);
  const isUp = to.value.link?.state !== "down";
  const wasUp = old.value.link?.state !== "down";
  const device = idOf(record, guest, old);
  const changed = replaceDevice(domain, old, other);
  refuseUndefinable(changed);
  refuseUnimplemented(changed, `update ${nameDevice(to)}`);
  const monitor = monitorOf(instance, record);
  const tapped = planTapChange(instance, record, { old: old.value, to: other.value });
  const linked: readonly Step[] = isUp === wasUp ? [] : [{ do: "set-link", monitor, device, up: isUp }];
  return {
    steps: [...tapped.steps, ...linked],
    after: tapped.after,
    xml: formatDomain(changed),
  };
}

/** Refuses a drive on USB: it contains another drive, which QEMU names in its own way. */
function refuseUsbDrive(disk: Disk): void {
  if (diskBus(disk) !== "usb") return;
  throw new SvirtError("Operation not supported: the medium of a USB drive cannot be changed", {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Detach the drive, and attach it with the other medium.",
  });
}

function monitorOf(instance: Instance, { uuid }: GuestRecord): string {
  return guestPaths(instance.paths, uuid).monitor;
}
