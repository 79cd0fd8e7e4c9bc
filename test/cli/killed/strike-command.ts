import { expect } from "bun:test";
import { runCommandLine } from "../../../src/cli/run-command.ts";
import { readRecords } from "../../../src/state/record.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import type { Machine } from "../../memory-host/machine.ts";
import type { Moment, Strike } from "../../memory-host/svirt.ts";
import { nodeFor, nodeOn, reapAll } from "../../scenes/scene.ts";
import { withoutInodes } from "../../scenes/strikes.ts";
import { runOn } from "../in-memory.ts";

/** Command line on a machine, which is killed at each of its calls. */
export interface Scene {
  /** Words that distinguish the scenes of a command. */
  readonly name?: string;
  readonly prepare: () => Machine | Promise<Machine>;
  readonly words: readonly string[];
  /** The next command of that object, after which nothing is half done; absent: the same command again. */
  readonly next?: readonly string[];
  /** The work waits for a server or a program, or overwrites: svirt recover leaves it to a command. */
  readonly left?: LeftToCommand;
}

/** Object that the audit names, and the command that undoes the work; absent: there is none. */
interface LeftToCommand {
  readonly object: string;
  readonly opposite?: readonly string[];
  /** Whether the audit is silent if nothing is left, although the note of the work is there. */
  readonly isExact?: true;
  /** Further lines of the state of a machine. */
  readonly look?: (machine: Machine) => readonly string[];
}

/** Lists the scenes of commands, each with a title. */
export function listTitled(
  scenes: Readonly<Record<string, readonly Scene[]>>,
): readonly { readonly title: string; readonly scene: Scene }[] {
  return Object.entries(scenes).flatMap(([name, own]) =>
    own.map((scene) => ({ title: scene.name === undefined ? name : `${name} (${scene.name})`, scene })),
  );
}

/** Longest time that a program of a killed call may still work. */
const GOING_ON_MS = 300_000;
const MOMENTS: readonly Moment[] = ["before", "within", "after"];
/** Files whose content is part of a machine's state. */
const READ =
  /^\/(?:etc\/svirt\/|run\/svirt\/networks\/|run\/svirt\/storage\/|run\/svirt\/secrets\/|run\/svirt-networks\/|var\/lib\/svirt\/snapshots\/|proc\/sys\/net\/|sys\/bus\/pci\/devices\/|sys\/class\/net\/)/;
/** Times, which differ between two machines. */
const TIMES = /"createdAt":\d+|<creationTime>\d+|\b17\d{8}\b/g;
/** Folders of svirt that stay empty once they are made. */
const OWN_FOLDER = /^\/(?:etc\/svirt|run\/svirt|run\/svirt-networks|var\/lib\/svirt)(?:\/[a-z-]+)* folder /;

/** A text that a user was editing, which the next edit begins with. */
const EDITED = /^\/run\/svirt\/edit\//;

/**
 * Returns the state of a machine: files with their labels, the texts of svirt and of the kernel, processes,
 * packet rules, daemons.
 */
export function wholeOf(machine: Machine): readonly string[] {
  const texts = [...machine.files.walk()].flatMap(({ inode, path }) =>
    inode.type === "file" && READ.test(path)
      ? [`${path}: ${new TextDecoder().decode(inode.bytes).trim().replace(TIMES, "-")}`]
      : [],
  );
  const sizes = [...machine.files.walk()].flatMap(({ inode, path }) =>
    inode.type === "file" && /^\/(?:srv|var\/lib\/images)\//.test(path)
      ? [`${path}: ${inode.bytes.length} bytes, ${Bun.hash(inode.bytes)}`]
      : [],
  );
  const lines = withoutInodes(machine)
    .filter((line) => !line.startsWith("/proc/1"))
    .filter((line) => !OWN_FOLDER.test(line) && !EDITED.test(line));
  const qemu = machine.processes
    .list()
    .flatMap(({ devices, status }) => [...(devices?.list() ?? []), `status ${status}`]);
  const records = readRecords(nodeOn(machine)).map(({ name, xml }) => `record of ${name}: ${xml}`);
  return [
    ...lines.map((line) => line.replace(TIMES, "-")),
    ...texts,
    ...sizes,
    ...records,
    ...qemu.toSorted(),
    ...[...machine.daemons].map((words) => `daemon ${words}`),
  ];
}

/** Runs a command line that is struck, and returns its process. */
export async function runStruck(machine: Machine, words: readonly string[], strike?: Strike) {
  const { host, svirt } = machine.svirt(strike);
  let said = "";
  const keep = (text: string): void => {
    said += text;
  };
  const output = {
    print: keep,
    printBytes: () => true,
    printSoon: async () => true,
    warn: keep,
  };
  const code = await runCommandLine({ words, instance: nodeFor(machine, host), output, version: "1.2.3" });
  svirt.exit();
  return { code, said, svirt };
}

/** States of the machine without the command, and after it, and the instants at which it can be killed. */
export async function lookAt({ left, prepare, words }: Scene) {
  const before = stateOf(await prepare(), left);
  const machine = await prepare();
  const { code, said, svirt } = await runStruck(machine, words);
  expect([said, code]).toEqual([said, 0]);
  await reapAll(machine);
  const instants = Array.from({ length: svirt.changes.length }, (_, at) =>
    MOMENTS.map((moment): Strike => ({ at: at + 1, moment, how: "crash" })),
  ).flat();
  return { before, after: stateOf(machine, left), instants };
}

/** Returns the state of a machine, with the lines of a scene. */
function stateOf(machine: Machine, left: Scene["left"]): readonly string[] {
  return [...wholeOf(machine), ...(left?.look?.(machine) ?? [])];
}

type States = Awaited<ReturnType<typeof lookAt>>;

/**
 * Kills the command at an instant. The audit names what it leaves, and a recovery or the next command leaves
 * nothing half done.
 */
export async function killAt(scene: Scene, { after, before }: States, strike: Strike): Promise<string> {
  const place = `${scene.words.join(" ")} ${strike.moment} call ${strike.at}`;
  const kill = async (): Promise<Machine> => {
    const machine = await scene.prepare();
    await runStruck(machine, scene.words, strike);
    machine.pass(1000);
    return machine;
  };
  const killed = await kill();
  const named = await expectNamed(place, killed, { scene, states: { before, after } });
  if (scene.left !== undefined) await recoverLater(killed);
  const recovered = await runOn(killed, "recover");
  await reapAll(killed);
  expect([place, recovered.code, recovered.err]).toEqual([place, 0, ""]);
  const isLeft = scene.left !== undefined && named;
  if (!isLeft) expectWhole(place, killed, { before, after, left: scene.left });
  expect([place, (await auditNode(nodeOn(killed))).findings.length > 0]).toEqual([place, isLeft]);
  const opposite = scene.left?.opposite;
  for (const words of [scene.next ?? scene.words, ...(opposite === undefined ? [] : [opposite])]) {
    const other = await kill();
    await expectEnded(`${place}, then ${words.join(" ")}`, other, {
      scene,
      states: { before, after },
      words,
    });
  }
  return named ? "named" : "whole";
}

/** Runs a command after a kill, and expects that nothing is half done any more. */
async function expectEnded(
  place: string,
  machine: Machine,
  {
    scene: { left },
    states,
    words,
  }: {
    readonly scene: Scene;
    readonly states: Pick<States, "after" | "before">;
    readonly words: readonly string[];
  },
): Promise<void> {
  const next = await runOn(machine, ...words);
  await reapAll(machine);
  if (left !== undefined) await recoverLater(machine);
  // A part of a text of another object stays until svirt recover. No call reads it.
  for (const { path } of [...machine.files.walk()])
    if (/\/svirt\/.*\.new$/.test(path)) machine.files.remove(path);
  expectWhole(`${place}: ${next.err}`, machine, { ...states, left });
  if (left !== undefined) expect([place, (await auditNode(nodeOn(machine))).findings]).toEqual([place, []]);
}

/** Lets a program of a killed call end. Until then its note stays, of which the audit is silent. */
async function recoverLater(machine: Machine): Promise<void> {
  machine.pass(GOING_ON_MS);
  expect((await runOn(machine, "recover")).code).toBe(0);
}

/** Note of work whose steps no record has. It is no part of the state, and must go with the work. */
const NOTE = /\/svirt\/unfinished\//;

/** Expects that the audit names what a kill has left, and returns whether it does. */
async function expectNamed(
  place: string,
  machine: Machine,
  { scene: { left }, states }: { readonly scene: Scene; readonly states: Pick<States, "after" | "before"> },
): Promise<boolean> {
  const lines = stateOf(machine, left);
  const now = left === undefined ? lines : lines.filter((line) => !NOTE.test(line));
  const isWhole = [states.before, states.after].some((state) => Bun.deepEquals(state, now));
  const { findings } = await auditNode(nodeOn(machine));
  if (!isWhole) expect([place, findings.length > 0]).toEqual([place, true]);
  if (left === undefined) return findings.length > 0;
  const about = findings.filter((one) => one.startsWith(`${left.object}: `));
  if (!isWhole) expect([place, about.length]).toEqual([place, 1]);
  // Before its first step the work may be named, too.
  if (isWhole && (left.isExact === true || lines.length === now.length))
    expect([place, about]).toEqual([place, []]);
  return about.length > 0;
}

/** Expects a state from before or after the command; shows the difference from the nearer one. */
function expectWhole(
  place: string,
  machine: Machine,
  { after, before, left }: Pick<States, "after" | "before"> & { readonly left: Scene["left"] },
): void {
  const now = stateOf(machine, left);
  const missing = (state: readonly string[]): number =>
    state.filter((line) => !now.includes(line)).length + now.filter((line) => !state.includes(line)).length;
  const nearer = missing(before) < missing(after) ? before : after;
  expect([place, ...now]).toEqual([place, ...nearer]);
}
