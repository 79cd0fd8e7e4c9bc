import { commandsOf, nameOf } from "../../qemu/monitor/plug-commands.ts";
import type { FileId } from "../facts/file.ts";
import type { MonitorCommand } from "../facts/step-parts.ts";
import type { Step } from "../steps/step.ts";

type Facts = Readonly<Record<string, unknown>>;

/** Objects of a QEMU, as created by svirt's own commands. A guest that controls QEMU cannot falsify them. */
export interface Plugged {
  /** Keyed by id. */
  readonly devices: ReadonlyMap<string, Facts>;
  readonly nodes: ReadonlyMap<string, Facts>;
  readonly netdevs: ReadonlyMap<string, Facts>;
  readonly objects: ReadonlyMap<string, Facts>;
  /** Only sockets: connections, and sockets in the guest's folder. */
  readonly chardevs: ReadonlyMap<string, Facts>;
  /** Keyed by the number of the descriptor set, or of the descriptor. */
  readonly files: ReadonlyMap<number, FileId>;
  /** Sockets of other programs, keyed by QEMU's name or number of the connection. */
  readonly peers: ReadonlyMap<string, FileId>;
}

/** Mutable form of Plugged, while its tables are filled. */
type Draft = {
  readonly [Table in keyof Plugged]: Plugged[Table] extends ReadonlyMap<infer Key, infer Value>
    ? Map<Key, Value>
    : never;
};

/** Applies all steps of a guest in order and returns the resulting objects. */
export function listQemuObjects(steps: readonly Step[]): Plugged {
  const draft: Draft = {
    devices: new Map(),
    nodes: new Map(),
    netdevs: new Map(),
    objects: new Map(),
    chardevs: new Map(),
    files: new Map(),
    peers: new Map(),
  };
  for (const step of steps) apply(draft, step);
  return draft;
}

function apply(draft: Draft, step: Step): void {
  switch (step.do) {
    case "spawn":
      for (const { fd, socket } of step.order.peers ?? []) draft.peers.set(String(fd), socket);
      add(draft, { files: step.order.files, commands: commandsOf(step.order.words) });
      return;
    case "plug":
      for (const { name, socket } of step.peers ?? []) draft.peers.set(name, socket);
      add(draft, step);
      return;
    case "unplug":
      takeAway(draft, step);
      return;
    case "set-medium": {
      const { drive: _, ...device } = draft.devices.get(step.device) ?? {};
      draft.devices.set(step.device, step.to === undefined ? device : { ...device, drive: step.to });
      return;
    }
    case "adopt-chain":
      adopt(draft, step);
      return;
    default:
      return;
  }
}

/** Sets the chain of a device. The node at the end may be raw and then has no field for a backing node. */
function adopt(draft: Draft, { chain, device }: Extract<Step, { do: "adopt-chain" }>): void {
  if (chain.length === 0) return;
  draft.devices.set(device, { ...draft.devices.get(device), drive: chain[0] });
  for (const [at, node] of chain.entries()) {
    const facts = draft.nodes.get(node) ?? {};
    const below = chain[at + 1];
    if (below !== undefined || "backing" in facts)
      draft.nodes.set(node, { ...facts, backing: below ?? null });
  }
}

function add(draft: Draft, made: Pick<Extract<Step, { do: "plug" }>, "files" | "commands">): void {
  for (const { fd, file } of made.files) draft.files.set(fd, file);
  for (const command of made.commands) make(draft, command);
}

function takeAway(draft: Draft, gone: Extract<Step, { do: "unplug" }>): void {
  if (gone.device !== undefined) draft.devices.delete(gone.device);
  for (const command of gone.commands) remove(draft, command);
  for (const set of gone.sets) draft.files.delete(set);
  for (const name of gone.peers ?? []) draft.peers.delete(name);
}

function make(draft: Draft, command: MonitorCommand): void {
  const name = nameOf(command);
  if (name === undefined) return;
  tableOf(draft, command.execute)?.set(name, command.arguments ?? {});
}

function remove(draft: Draft, command: MonitorCommand): void {
  const name = nameOf(command);
  if (name !== undefined) tableOf(draft, command.execute)?.delete(name);
}

function tableOf(draft: Draft, execute: string): Map<string, Facts> | undefined {
  switch (execute) {
    case "blockdev-add":
    case "blockdev-del":
      return draft.nodes;
    case "device_add":
      return draft.devices;
    case "netdev_add":
    case "netdev_del":
      return draft.netdevs;
    case "chardev-add":
    case "chardev-remove":
      return draft.chardevs;
    case "object-add":
    case "object-del":
      return draft.objects;
    default:
      return undefined;
  }
}
