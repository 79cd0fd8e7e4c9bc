import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { instrument, type Place } from "./instrument.ts";
import { makeSandbox, runIn, type Sandbox } from "./sandbox.ts";

/** Test file that passes, with its duration. */
export interface TestFile {
  readonly path: string;
  readonly seconds: number;
}

/** Place of a source file, with the test files that run it, also in child processes. */
interface CoveredPlace extends Place {
  readonly tests: readonly TestFile[];
}

/** Places that the tests run, by source file, and the test files that fail without a change. */
export interface Coverage {
  readonly places: ReadonlyMap<string, readonly CoveredPlace[]>;
  readonly broken: readonly Broken[];
}

interface Broken {
  readonly path: string;
  readonly output: string;
}

/** Limits of the first run of a test file, and of one of its tests. */
const PATIENCE_S = 300;
const TEST_MS = 60_000;

interface Run {
  readonly isGreen: boolean;
  readonly seconds: number;
  readonly seen: ReadonlySet<number>;
  readonly output: string;
}

/** Runs each test file on an instrumented copy, with one worker per folder. */
export async function measureCoverage(
  folders: readonly string[],
  sources: readonly string[],
  tests: readonly string[],
): Promise<Coverage> {
  const queue = [...tests];
  const [found, broken] = [new Map<Place, TestFile[]>(), [] as Broken[]];
  const work = async (folder: string): Promise<ByFile> => {
    const sandbox = makeSandbox(folder);
    const places = instrumentAll(sandbox, sources);
    const numbers = [...places.values()].flat();
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      process.stderr.write(`\r${tests.length - queue.length} of ${tests.length} test files run once `);
      const { isGreen, output, seconds, seen } = await runTwiceAtMost(sandbox, path);
      if (!isGreen) broken.push({ path, output });
      else for (const number of seen) addTo(found, numbers[number] as Place, { path, seconds });
    }
    return places;
  };
  const copies = await Promise.all(folders.map(work));
  process.stderr.write("\n");
  return { places: joinCopies(copies, found), broken };
}

type ByFile = ReadonlyMap<string, readonly Place[]>;

/** Joins the results of all copies, which have equal places. */
function joinCopies(
  copies: readonly ByFile[],
  found: ReadonlyMap<Place, readonly TestFile[]>,
): ReadonlyMap<string, readonly CoveredPlace[]> {
  const covered = [...(copies[0] ?? [])].map(([file, own]) => {
    const places = own.map((place, at): CoveredPlace => {
      const tests = copies.flatMap((copy) => found.get(copy.get(file)?.[at] as Place) ?? []);
      return { ...place, tests };
    });
    return [file, places] as const;
  });
  return new Map(covered);
}

async function runTwiceAtMost(sandbox: Sandbox, path: string): Promise<Run> {
  const first = await runFile(sandbox, path);
  return first.isGreen ? first : await runFile(sandbox, path);
}

function addTo(found: Map<Place, TestFile[]>, place: Place, test: TestFile): void {
  found.set(place, [...(found.get(place) ?? []), test]);
}

async function runFile(sandbox: Sandbox, path: string): Promise<Run> {
  const began = performance.now();
  const words = ["bun", "test", `--timeout=${TEST_MS}`, path];
  const { ended, output } = await runIn(sandbox, words, PATIENCE_S);
  const seconds = (performance.now() - began) / 1000;
  return { isGreen: ended === "green", seconds, seen: takeSeen(sandbox), output };
}

/** Module that appends each number once per process, synchronously, because a test may kill the process. */
const SEEN = `import { appendFileSync } from "node:fs";
const known = new Uint8Array(100_000);
export function seen(number) {
  if (known[number]) return;
  known[number] = 1;
  try { appendFileSync(FILE, number + "\\n", { mode: 0o666 }); } catch {}
}
`;

function instrumentAll({ copy }: Sandbox, sources: readonly string[]): ByFile {
  const folder = join(dirname(copy), "seen");
  mkdirSync(folder, { mode: 0o777 });
  const module = join(folder, "seen.js");
  writeFileSync(module, SEEN.replace("FILE", JSON.stringify(join(folder, "numbers"))));
  const places = new Map<string, readonly Place[]>();
  let first = 0;
  for (const file of sources) {
    const made = instrument(file, readFileSync(file, "utf8"), { first, seen: module });
    writeFileSync(join(copy, file), made.text);
    places.set(file, made.places);
    first += made.places.length;
  }
  return places;
}

function takeSeen({ copy }: Sandbox): ReadonlySet<number> {
  const file = join(dirname(copy), "seen", "numbers");
  if (!existsSync(file)) return new Set();
  renameSync(file, `${file}.read`);
  const numbers = readFileSync(`${file}.read`, "utf8").split("\n");
  rmSync(`${file}.read`);
  return new Set(numbers.filter((line) => line !== "").map(Number));
}
