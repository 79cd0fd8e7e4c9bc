import { deleteCommand } from "../../qemu/monitor/plug-commands.ts";
import type { FileId } from "../facts/file.ts";
import { fileKey, type LabelledFile } from "../facts/file.ts";
import type { HandedFile, PluggedPeer } from "../facts/guest-order.ts";
import type { MonitorCommand } from "../facts/step-parts.ts";
import type { HandedTap, Macvtap, TapSetup } from "../facts/tap.ts";
import { nameIn, peerIn, setOf } from "../record/disk-chain.ts";
import { tapsOf } from "../record/given-up.ts";
import { listPlugged, type Plugged } from "../record/qemu-objects.ts";
import type { ChangeSteps } from "../steps/change.ts";
import { inverse } from "../steps/inverse.ts";
import type { Step } from "../steps/step.ts";
import { type PassedDevice, planGivePassed, planPassed } from "./passthrough.ts";
import { planFiles, tapClaim } from "./start.ts";

/** What a device that comes consists of. */
export interface NewDevice {
  /** Those that the guest has not had before. */
  readonly files: readonly LabelledFile[];
  readonly handed: readonly HandedFile[];
  /** The connection to the program that serves it. */
  readonly peers?: readonly PluggedPeer[];
  readonly commands: readonly MonitorCommand[];
  readonly tap?: NewTap;
  readonly passed?: PassedDevice;
}

/** A tap that comes with a device, and what becomes of one that is made. */
export interface NewTap {
  readonly handed: HandedTap;
  readonly setup: TapSetup | undefined;
  /** It stands on a device of the host's, and is made before QEMU is given it. */
  readonly link: Macvtap | undefined;
}

/** Reserve, label, hand over, plug in. A tap is set up before the guest sees its network card. */
export function planAttach(device: NewDevice, monitor: string): ChangeSteps {
  const { commands, files, handed, passed, peers = [], tap } = device;
  const served = peers.length === 0 ? {} : { peers: [...peers] };
  return {
    steps: [
      ...planFiles(files),
      ...(passed === undefined ? [] : planPassed(passed)),
      ...(tap === undefined ? [] : planTap(tap, monitor)),
      { do: "plug", monitor, files: [...handed], ...served, commands: [...commands] },
    ],
    after: (passed?.grants ?? []).map(({ file, uid }) => ({ do: "revoke", file, uid })),
  };
}

function planTap({ handed, link, setup }: NewTap, monitor: string): Step[] {
  return [
    { do: "reserve", claim: tapClaim(handed.name) },
    ...(link === undefined ? [] : [{ do: "make-macvtap", link } as const]),
    { do: "hand-tap", monitor, tap: handed },
    ...(setup === undefined ? [] : [{ do: "set-up-tap", setup } as const]),
  ];
}

/** What is behind the device of that id is given back when the guest has let go of it. `done` are the guest's steps. */
export function planDetach(done: readonly Step[], id: string, monitor: string): ChangeSteps {
  const plugged = listPlugged(done);
  const device = plugged.devices.get(id) ?? {};
  const behind = listBehind(plugged, device);
  const unplug = planUnplug(plugged, behind, { monitor, device: id });
  const taps = planGiveTap(done, nameIn(device["netdev"]));
  const passed = planGivePassed(done, { plugged, id });
  return { steps: [], after: [unplug, ...planGiveBack(done, [...done, unplug]), ...taps, ...passed] };
}

/** The tap behind a netdev that goes: what remains of it, and the hold on its name. */
function planGiveTap(done: readonly Step[], netdev: string | undefined): Step[] {
  // The last of that name: an earlier one has gone, and its own name may be another's by now.
  const name = done.flatMap(tapsOf).findLast((tap) => tap.netdev === netdev)?.name;
  return done.toReversed().flatMap((step) => {
    const isIts =
      (step.do === "set-up-tap" && step.setup.name === name) ||
      (step.do === "make-macvtap" && step.link.name === name) ||
      (step.do === "reserve" && step.claim.kind === "tap" && step.claim.key === name);
    return isIts ? (inverse(step) ?? []) : [];
  });
}

/** The medium of a drive that stays, and what it is changed to; `to` is the new top node. */
export interface NewMedium {
  readonly id: string;
  readonly force: boolean;
  readonly to?: { readonly node: string; readonly device: NewDevice };
}

/** The new medium is there before the old one is taken out, and the old one is given back only then. */
export function planMedium(
  done: readonly Step[],
  { force, id, to }: NewMedium,
  monitor: string,
): ChangeSteps {
  const plugged = listPlugged(done);
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

/** What stands behind a device: commands that delete it, whoever uses another first, and the sets that it names. */
export interface Behind {
  readonly commands: readonly MonitorCommand[];
  readonly names: ReadonlySet<string>;
  readonly sets: ReadonlySet<number>;
  /** Connections that end with it. */
  readonly peers: ReadonlySet<string>;
}

function listBehind(plugged: Plugged, device: Readonly<Record<string, unknown>>): Behind {
  const nodes = listNodes(plugged, nameIn(device["drive"]));
  const netdev = nameIn(device["netdev"]);
  const object = nameIn(device["rng"]);
  const facts = [...nodes.map((node) => plugged.nodes.get(node)), plugged.objects.get(object ?? ""), device];
  const chardevs = facts.flatMap((found) => nameIn(found?.["chardev"]) ?? []);
  const made: MonitorCommand[] = [
    ...nodes.map((node) => ({ execute: "blockdev-add", arguments: { "node-name": node } })),
    ...(netdev === undefined ? [] : [{ execute: "netdev_add", arguments: { id: netdev } }]),
    ...(object === undefined ? [] : [{ execute: "object-add", arguments: { id: object } }]),
    ...chardevs.map((id) => ({ execute: "chardev-add", arguments: { id } })),
  ];
  const served = [...facts, ...chardevs.map((id) => plugged.chardevs.get(id))];
  return {
    commands: made.flatMap((command) => deleteCommand(command) ?? []),
    names: new Set([...nodes, ...(object === undefined ? [] : [object])]),
    sets: new Set(facts.flatMap((found) => setOf(found) ?? [])),
    peers: new Set(served.flatMap((found) => peerIn(found) ?? [])),
  };
}

/** A node and all below it, each before those that it stands on. */
function listNodes({ nodes }: Plugged, top: string | undefined): string[] {
  const facts = top === undefined ? undefined : nodes.get(top);
  if (top === undefined || facts === undefined) return [];
  const below = ["file", "data-file", "backing"].flatMap((key) =>
    listNodes({ nodes } as Plugged, nameIn(facts[key])),
  );
  return [top, ...below];
}

/** Takes away what stands behind a device, or an image, as far as nothing else uses it. */
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

/** Labels and claims of files that the guest had before and has no more. */
export function planGiveBack(before: readonly Step[], after: readonly Step[]): Step[] {
  const kept = new Set(listFiles(after).map(fileKey));
  const gone = listFiles(before).filter((file) => !kept.has(fileKey(file)));
  return before.toReversed().flatMap((step) => (isOf(step, gone) ? (inverse(step) ?? []) : []));
}

/** All that a guest has open, sockets of other programs among it. */
function listFiles(steps: readonly Step[]): readonly FileId[] {
  const { files, peers } = listPlugged(steps);
  return [...files.values(), ...peers.values()];
}

function isOf(step: Step, files: readonly FileId[]): boolean {
  const key = claimedKey(step);
  return key !== undefined && files.some((file) => fileKey(file) === key);
}

/** The key of the file that a step reserves, labels or keeps labelled. */
function claimedKey(step: Step): string | undefined {
  if (step.do === "write-udev-rule" || step.do === "remember-owner") return fileKey(step.file);
  if (step.do !== "reserve" && step.do !== "set-label") return undefined;
  return step.claim.kind === "file" ? step.claim.key : undefined;
}
