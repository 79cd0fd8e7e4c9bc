import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "svirt-software-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Package in bun.lock: name with version, origin, and dependencies. */
type Locked = readonly [string, string, { readonly dependencies?: Readonly<Record<string, string>> }];

test("the list of software has every package that svirt depends on, and those that they depend on", async () => {
  const lock = await readLock();
  const needed = new Set(Object.keys(lock.workspaces[""].dependencies));
  for (const name of needed)
    for (const next of Object.keys(lock.packages[name]?.[2].dependencies ?? {})) needed.add(next);
  const locked = [...needed].map((name) => lock.packages[name]?.[0] ?? name);

  mkdirSync(join(folder, ".packages"));
  const { stdout } = Bun.spawnSync(["bun", `${ROOT}image/ship/list-software.ts`, folder, folder]);
  const { packages } = JSON.parse(stdout.toString()) as { packages: readonly Listed[] };
  const listed = packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`);
  expect(listed.slice(2)).toEqual(locked.toSorted());
  expect(listed).toContain("strnum@2.5.1");
  expect(packages.slice(2).filter(({ licenseComments }) => licenseComments !== "MIT")).toEqual([]);
});

interface Listed {
  readonly name: string;
  readonly versionInfo: string;
  readonly licenseComments: string;
}

interface Lock {
  readonly workspaces: { readonly "": { readonly dependencies: Readonly<Record<string, string>> } };
  readonly packages: Readonly<Record<string, Locked>>;
}

/** Parses bun.lock, which is JSON with trailing commas. */
async function readLock(): Promise<Lock> {
  return JSON.parse((await Bun.file(`${ROOT}bun.lock`).text()).replaceAll(/,(\s*[}\]])/g, "$1"));
}
