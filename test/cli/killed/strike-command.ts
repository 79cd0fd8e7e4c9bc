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
}

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
      ? [`${path}: ${inode.bytes.length} bytes`]
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
export async function lookAt({ prepare, words }: Scene) {
  const before = wholeOf(await prepare());
  const machine = await prepare();
  const { code, said, svirt } = await runStruck(machine, words);
  expect([said, code]).toEqual([said, 0]);
  await reapAll(machine);
  const instants = Array.from({ length: svirt.changes.length }, (_, at) =>
    MOMENTS.map((moment): Strike => ({ at: at + 1, moment, how: "crash" })),
  ).flat();
  return { before, after: wholeOf(machine), instants };
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
  const isWhole = (machine: Machine): boolean =>
    [before, after].some((state) => Bun.deepEquals(state, wholeOf(machine)));
  const { findings } = await auditNode(nodeOn(killed));
  if (!isWhole(killed)) expect([place, findings.length > 0]).toEqual([place, true]);
  const recovered = await runOn(killed, "recover");
  await reapAll(killed);
  expect([place, recovered.code, recovered.err]).toEqual([place, 0, ""]);
  expectWhole(place, killed, { before, after });
  expect([place, ...(await auditNode(nodeOn(killed))).findings]).toEqual([place]);
  const other = await kill();
  const next = await runOn(other, ...(scene.next ?? scene.words));
  await reapAll(other);
  const repeated = `${place}, then ${(scene.next ?? scene.words).join(" ")}: ${next.err}`;
  // A part of a text of another object stays until svirt recover. No call reads it.
  for (const { path } of [...other.files.walk()])
    if (/\/svirt\/.*\.new$/.test(path)) other.files.remove(path);
  expectWhole(repeated, other, { before, after });
  return findings.length > 0 ? "named" : "whole";
}

/** Expects a state from before or after the command; shows the difference from the nearer one. */
function expectWhole(
  place: string,
  machine: Machine,
  { after, before }: Pick<States, "after" | "before">,
): void {
  const now = wholeOf(machine);
  const missing = (state: readonly string[]): number =>
    state.filter((line) => !now.includes(line)).length + now.filter((line) => !state.includes(line)).length;
  const nearer = missing(before) < missing(after) ? before : after;
  expect([place, ...now]).toEqual([place, ...nearer]);
}
