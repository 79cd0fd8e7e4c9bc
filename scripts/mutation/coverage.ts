import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { instrument, type Place } from "./instrument.ts";
import { makeSandbox, type Sandbox, succeedsIn } from "./sandbox.ts";

/** A test file that passes, and how long it takes. */
export interface TestFile {
  readonly path: string;
  readonly seconds: number;
}

/** A place of a source file, and the test files that run it, those of child processes too. */
export interface CoveredPlace extends Place {
  readonly tests: readonly TestFile[];
}

/** What the tests run: by source file, and the test files that fail as they are. */
export interface Coverage {
  readonly places: ReadonlyMap<string, readonly CoveredPlace[]>;
  readonly broken: readonly string[];
}

/** A first run of a test file may take so long. */
const PATIENCE_S = 300;

/** Runs each test file on an instrumented copy. */
export async function measureCoverage(
  folder: string,
  sources: readonly string[],
  tests: readonly string[],
): Promise<Coverage> {
  const sandbox = makeSandbox(folder);
  const places = instrumentAll(sandbox, sources);
  const numbers: Place[] = [...places.values()].flat();
  const found = new Map<Place, TestFile[]>(numbers.map((place) => [place, []]));
  const broken: string[] = [];
  for (const [at, path] of tests.entries()) {
    process.stderr.write(`\r${at + 1} of ${tests.length} test files run once `);
    const began = performance.now();
    const isGreen = await succeedsIn(sandbox, ["bun", "test", path], PATIENCE_S);
    const file = { path, seconds: (performance.now() - began) / 1000 };
    const seen = takeSeen(sandbox);
    if (!isGreen) broken.push(path);
    else for (const number of seen) found.get(numbers[number] as Place)?.push(file);
  }
  process.stderr.write("\n");
  const covered = [...places].map(([file, own]) => {
    const list = own.map((place): CoveredPlace => ({ ...place, tests: found.get(place) ?? [] }));
    return [file, list] as const;
  });
  return { places: new Map(covered), broken };
}

/** A module that appends each number once for a process: at once, since a test may kill it. */
const SEEN = `import { appendFileSync } from "node:fs";
const known = new Uint8Array(100_000);
export function seen(number) {
  if (known[number]) return;
  known[number] = 1;
  try { appendFileSync(FILE, number + "\\n", { mode: 0o666 }); } catch {}
}
`;

function instrumentAll({ copy }: Sandbox, sources: readonly string[]): ReadonlyMap<string, readonly Place[]> {
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
