import { canonical } from "../../domain/forms/canonical.ts";
import type { Shape } from "../../network/traffic-shape.ts";
import { deleteCommand } from "../../qemu/monitor/plug-commands.ts";
import type { ChangeSteps } from "../change/change-steps.ts";
import type { FileId, LabelledFile } from "../facts/file.ts";
import { fileKey } from "../facts/file-key.ts";
import type { PassedFile, PluggedPeer } from "../facts/launch-spec.ts";
import type { MonitorCommand } from "../facts/step-parts.ts";
import type { Floor, Macvtap, PassedTap, TapRules, TapSetup } from "../facts/tap.ts";
import { nameIn, peerIn, secretsIn, setOf } from "../record/disk-chain.ts";
import { listQemuObjects, type Plugged } from "../record/qemu-objects.ts";
import { tapsOf } from "../record/released-resources.ts";
import { inverse } from "../steps/inverse.ts";
import type { Step } from "../steps/step.ts";
import { type PassedDevice, planGivePassed, planPassed } from "./passthrough.ts";
import type { SecretSteps } from "./secrets.ts";
import { planFiles, setFloor, tapClaim } from "./start.ts";

/** Parts of an attached device. */
export interface NewDevice {
  /** Files new to the guest. */
  readonly files: readonly LabelledFile[];
  readonly passedFiles: readonly PassedFile[];
  /** Connection to the program of the device. */
  readonly peers?: readonly PluggedPeer[];
  readonly commands: readonly MonitorCommand[];
  /** Commands for each controller that the device needs and the guest did not have. */
  readonly controllers?: readonly (readonly MonitorCommand[])[];
  /** Files with values, read by QEMU when it carries out the commands. */
  readonly secrets?: SecretSteps;
  readonly tap?: NewTap;
  readonly passed?: PassedDevice;
}

/** Tap of an attached device; `setup` belongs to a tap created by svirt. */
export interface NewTap {
  readonly passed: PassedTap;
  readonly setup: TapSetup | undefined;
  /** Macvtap to create on a device of the host before QEMU gets it. */
  readonly link: Macvtap | undefined;
  readonly rules: readonly TapRules[];
  readonly shape: Shape | undefined;
  readonly floor: Floor | undefined;
}

/** Plans an attachment: claim, label, pass, plug. A tap is set up before the guest sees its network card. */
export function planAttach(device: NewDevice, monitor: string): ChangeSteps {
  const { commands, controllers = [], files, passedFiles, passed, peers = [], secrets, tap } = device;
  const served = peers.length === 0 ? {} : { peers: [...peers] };
  return {
    steps: [
      ...planFiles(files),
      ...(passed === undefined ? [] : planPassed(passed)),
      ...(tap === undefined ? [] : planTap(tap, monitor)),
      ...(secrets?.before ?? []),
      // A step for each: a controller is detached by itself.
      ...controllers.map((made): Step => ({ do: "plug", monitor, files: [], commands: [...made] })),
      { do: "plug", monitor, files: [...passedFiles], ...served, commands: [...commands] },
      ...(secrets?.after ?? []),
    ],
    after: (passed?.grants ?? []).map(({ file, uid }) => ({ do: "revoke", file, uid })),
  };
}

function planTap({ floor, passed, link, rules, setup, shape }: NewTap, monitor: string): Step[] {
  const ruled = rules.map((one): Step => ({ do: "set-tap-rules", rules: one }));
  const shaped: Step[] = shape === undefined ? [] : [{ do: "shape-tap", tap: passed.name, shape }];
  return [
    { do: "reserve", claim: tapClaim(passed.name) },
    ...(link === undefined ? [] : [{ do: "make-macvtap", link } as const]),
    // QEMU could send by an existing tap at once; a new tap exists from now on, and is down until its setup.
    ...(passed.isMade ? [] : ruled),
    { do: "pass-tap", monitor, tap: passed },
    ...(passed.isMade ? ruled : []),
    ...shaped,
    ...(floor === undefined ? [] : [setFloor(passed.name, floor)]),
    ...(setup === undefined ? [] : [{ do: "set-up-tap", setup } as const]),
  ];
}

/** Plans other rules for the frames of a running guest's tap. `done` are its steps. */
export function planRulesChange(
  done: readonly Step[],
  wanted: readonly TapRules[],
  tap: string | undefined,
): ChangeSteps {
  const present = done.flatMap((step) =>
    step.do === "set-tap-rules" && step.rules.tap === tap ? [step.rules] : [],
  );
  const steps = wanted.flatMap((rules): Step[] => {
    const before = present.findLast(({ table }) => table === rules.table);
    if (before === undefined) return [{ do: "set-tap-rules", rules }];
    return canonical(before) === canonical(rules) ? [] : [{ do: "change-tap-rules", rules, before }];
  });
  const gone = present.filter((one) => wanted.every(({ table }) => table !== one.table));
  return { steps, after: gone.map(({ table }) => ({ do: "remove-tap-rules", table })) };
}

/** Plans another limit of the frames to a running guest, or none. */
export function planShapeChange(
  tap: string,
  before: Shape | undefined,
  shape: Shape | undefined,
): readonly Step[] {
  if (canonical(before) === canonical(shape)) return [];
  return [
    {
      do: "shape-tap",
      tap,
      ...(shape === undefined ? {} : { shape }),
      ...(before === undefined ? {} : { before }),
    },
  ];
}

/** Plans another guaranteed share of the bandwidth for a running guest, or none. */
export function planFloorChange(
  tap: string,
  before: Floor | undefined,
  floor: Floor | undefined,
): ChangeSteps {
  if (before?.bytesPerSecond === floor?.bytesPerSecond) return { steps: [], after: [] };
  const old = before === undefined ? {} : { before: before.bytesPerSecond };
  if (floor !== undefined) return { steps: [{ ...setFloor(tap, floor), ...old }], after: [] };
  return {
    steps: [],
    after: before === undefined ? [] : [{ do: "set-floor", tap, to: before.to, ...old }],
  };
}

/**
 * Plans a detachment. The device's backends and files are released after the device. `done` are the guest's
 * steps.
 */
export function planDetach(done: readonly Step[], id: string, monitor: string): ChangeSteps {
  const plugged = listQemuObjects(done);
  const device = plugged.devices.get(id) ?? {};
  const behind = listBehind(plugged, device);
  const unplug = planUnplug(plugged, behind, { monitor, device: id });
  const taps = planGiveTap(done, nameIn(device["netdev"]));
  const passed = planGivePassed(done, { plugged, id });
  return { steps: [], after: [unplug, ...planGiveBack(done, [...done, unplug]), ...taps, ...passed] };
}

/** Plans the removal of a netdev's tap and the release of its name. */
function planGiveTap(done: readonly Step[], netdev: string | undefined): Step[] {
  // Use the last: an earlier tap of this netdev no longer exists, and its name may belong to another guest.
  const name = done.flatMap(tapsOf).findLast((tap) => tap.netdev === netdev)?.name;
  return done.toReversed().flatMap((step) => {
    const isIts =
      (step.do === "set-up-tap" && step.setup.name === name) ||
      (step.do === "make-macvtap" && step.link.name === name) ||
      (step.do === "set-tap-rules" && step.rules.tap === name) ||
      (step.do === "set-floor" && step.tap === name) ||
      (step.do === "reserve" && step.claim.kind === "tap" && step.claim.key === name);
    return isIts ? (inverse(step) ?? []) : [];
  });
}

/** Change of a drive's medium; `to.node` is the new top node, and without `to` the drive becomes empty. */
export interface NewMedium {
  readonly id: string;
  readonly force: boolean;
  readonly to?: { readonly node: string; readonly device: NewDevice };
}

/**
 * Plans a change of medium. The new medium is attached before the old medium is removed, and the old medium
 * is released last.
 */
export function planMedium(
  done: readonly Step[],
  { force, id, to }: NewMedium,
  monitor: string,
): ChangeSteps {
  const plugged = listQemuObjects(done);
  const device = plugged.devices.get(id) ?? {};
  const from = nameIn(device["drive"]);
  const before = to === undefined ? [] : planAttach(to.device, monitor).steps;
  const change: Step = {
    do: "set-medium",
    monitor,
    device: id,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to: to.node }),
    force,
  };
  const steps = [...before, change];
  if (from === undefined) return { steps, after: [] };
  const unplug = planUnplug(plugged, listBehind(plugged, device), { monitor });
  return { steps, after: [unplug, ...planGiveBack(done, [...done, ...steps, unplug])] };
}

/** Backends of a device: commands for their deletion, each before its parts, and their descriptor sets. */
export interface Behind {
  readonly commands: readonly MonitorCommand[];
  readonly names: ReadonlySet<string>;
  readonly sets: ReadonlySet<number>;
  /** Connections ended with the device. */
  readonly peers: ReadonlySet<string>;
}

function listBehind(plugged: Plugged, device: Readonly<Record<string, unknown>>): Behind {
  const nodes = listNodes(plugged, nameIn(device["drive"]));
  const netdev = nameIn(device["netdev"]);
  const object = nameIn(device["rng"]);
  const facts = [...nodes.map((node) => plugged.nodes.get(node)), plugged.objects.get(object ?? ""), device];
  const objects = [
    ...(object === undefined ? [] : [object]),
    ...nodes.flatMap((node) => secretsIn(plugged.nodes.get(node))),
  ];
  const chardevs = facts.flatMap((found) => nameIn(found?.["chardev"]) ?? []);
  const made: MonitorCommand[] = [
    ...nodes.map((node) => ({ execute: "blockdev-add", arguments: { "node-name": node } })),
    ...(netdev === undefined ? [] : [{ execute: "netdev_add", arguments: { id: netdev } }]),
    ...objects.map((id) => ({ execute: "object-add", arguments: { id } })),
    ...chardevs.map((id) => ({ execute: "chardev-add", arguments: { id } })),
  ];
  const served = [...facts, ...chardevs.map((id) => plugged.chardevs.get(id))];
  return {
    commands: made.flatMap((command) => deleteCommand(command) ?? []),
    names: new Set([...nodes, ...objects]),
    sets: new Set(facts.flatMap((found) => setOf(found) ?? [])),
    peers: new Set(served.flatMap((found) => peerIn(found) ?? [])),
  };
}

/** Returns a node and all nodes below it, each before its children. */
function listNodes({ nodes }: Plugged, top: string | undefined): string[] {
  const facts = top === undefined ? undefined : nodes.get(top);
  if (top === undefined || facts === undefined) return [];
  const below = ["file", "data-file", "backing"].flatMap((key) =>
    listNodes({ nodes } as Plugged, nameIn(facts[key])),
  );
  return [top, ...below];
}

/** Plans the removal of the backends of a device or an image, except backends of another object. */
export function planUnplug(
  { devices, nodes, objects }: Plugged,
  behind: Behind,
  of: { readonly monitor: string; readonly device?: string },
): Extract<Step, { do: "unplug" }> {
  const others = [...nodes, ...objects, ...devices].filter(
    ([name]) => !behind.names.has(name) && name !== of.device,
  );
  const used = new Set(others.flatMap(([, facts]) => setOf(facts) ?? []));
  const sets = [...behind.sets].filter((set) => !used.has(set));
  const peers = behind.peers.size === 0 ? {} : { peers: [...behind.peers] };
  return { do: "unplug", ...of, commands: [...behind.commands], sets, ...peers };
}

/** Plans the release of labels and claims of files that the guest has in `before` but not in `after`. */
export function planGiveBack(before: readonly Step[], after: readonly Step[]): Step[] {
  const kept = new Set(listFiles(after).map(fileKey));
  const gone = listFiles(before).filter((file) => !kept.has(fileKey(file)));
  return before.toReversed().flatMap((step) => (isOf(step, gone) ? (inverse(step) ?? []) : []));
}

/** Returns all open files of a guest, including sockets of other programs. */
function listFiles(steps: readonly Step[]): readonly FileId[] {
  const { files, peers } = listQemuObjects(steps);
  return [...files.values(), ...peers.values()];
}

function isOf(step: Step, files: readonly FileId[]): boolean {
  const key = claimedKey(step);
  return key !== undefined && files.some((file) => fileKey(file) === key);
}

/** Returns the key of the file that a step claims, labels or keeps labelled. */
function claimedKey(step: Step): string | undefined {
  if (step.do === "write-udev-rule" || step.do === "remember-owner") return fileKey(step.file);
  if (step.do !== "reserve" && step.do !== "set-label") return undefined;
  return step.claim.kind === "file" ? step.claim.key : undefined;
}
