import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { binaryOf, type Policy, readPolicy } from "./built-policy.ts";
import type { OurRight } from "./needed.ts";

/** A module that makes the kernel write down each use of a right of ours that was not seen used yet, as "avc: granted". */
function formatAuditRules(rights: readonly OurRight[]): string {
  return rights
    .map(
      ({ source, target, tclass, permission }) =>
        `(auditallow ${source} ${target} (${tclass} (${permission})))\n`,
    )
    .join("");
}

/** The boolean that takes the right of this number away. */
export function switchOf(index: number): string {
  return `svirt_right_${index}`;
}

/** A module that allows the same, each right under a boolean of its own; the one of that number is off until it is set. */
export function formatSwitches(rights: readonly OurRight[], off?: number): string {
  return rights
    .map(({ source, target, tclass, permission }, index) => {
      const name = switchOf(index);
      return `(boolean ${name} ${index !== off})\n(booleanif ${name} (true (allow ${source} ${target} (${tclass} (${permission})))))\n`;
    })
    .join("");
}

/** The policy of this folder with such a module, for the caller to remove with the folder that is given. */
export function buildAudited(folder: string, rights: readonly OurRight[]): string {
  return buildWith(folder, new Map([["svirt-audited.cil", formatAuditRules(rights)]]));
}

/** The policy of this folder with these modules in place of or beside its own; `use` may read it. */
export function readWith(folder: string, modules: ReadonlyMap<string, string>): Policy {
  const out = buildWith(folder, modules);
  try {
    return readPolicy(binaryOf(`${out}/store`));
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** The same, for the caller to remove: STORE in the folder that is given. */
export function buildWith(folder: string, modules: ReadonlyMap<string, string>): string {
  const out = mkdtempSync(`${tmpdir()}/svirt-policy-`);
  const paths = [...modules].map(([name, text]) => {
    writeFileSync(`${out}/${name}`, text);
    return `${out}/${name}`;
  });
  run(["cp", "-a", folder, `${out}/store`]);
  run(["semodule", "-p", `${out}/store`, "-N", "-n", "-s", "default", "-X", "400", "-i", ...paths]);
  return out;
}

function run(words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(words);
  if (exitCode !== 0) throw new Error(`${words[0]} failed: ${stderr}`);
}
