import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { disksOf, type Step, writeLife } from "./life.ts";
import { run } from "./own-folders.ts";

/** Instructions of each counted step by its name, in the order of the life; `hello` is the reference. */
export type Counts = ReadonlyMap<string, number>;

/** Programs whose instructions are counted. */
export interface Programs {
  readonly svirt: string;
  /** Hello world by the same runtime: what every command costs before svirt's own part. */
  readonly hello: string;
}

/** Without SELinux on this machine, guests are not confined by svirt either. */
const SETTINGS = "security_require_confined = 0\n";
/** Reference of all counts. */
export const HELLO = "hello";

/**
 * Runs a whole life in FOLDER, which it empties, and returns the instructions of each step. svirt's own
 * folders must be those of mountOwnFolders().
 */
export function countLife({ hello, svirt }: Programs, folder: string): Counts {
  writeFileSync("/etc/svirt/svirt.conf", SETTINGS);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const disk of disksOf(folder)) run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"]);
  const reference = countCommand([hello], folder);
  return new Map([
    [HELLO, reference],
    ...writeLife(folder).flatMap((step) => countStep(svirt, step, folder)),
  ]);
}

/** Returns the least count of each step: the counts of commands that wait for QEMU grow with other load. */
export function leastOf(one: Counts, other: Counts): Counts {
  return new Map([...one].map(([name, count]) => [name, Math.min(count, other.get(name) ?? count)]));
}

function countStep(svirt: string, step: Step, folder: string): readonly (readonly [string, number])[] {
  const words = [svirt, ...step.words];
  if (step.notCounted === undefined) return [[step.name, countCommand(words, folder)]];
  run(words);
  return [];
}

/**
 * Counts the instructions of the main thread by valgrind's exp-bbv: other threads compile and collect when
 * they like. Throws if the command fails.
 */
export function countCommand(words: readonly string[], folder: string): number {
  const counter = ["--tool=exp-bbv", "--instr-count-only=yes", "--bb-out-file=/dev/null"];
  const { stderr } = run(["valgrind", ...counter, ...words], folder);
  const found = /# Thread 1\n[\s\S]*?Total instructions: (\d+)\n/.exec(stderr);
  if (found === null) throw new Error(`Cannot count the instructions of ${words.join(" ")}: ${stderr}`);
  return Number(found[1]);
}
