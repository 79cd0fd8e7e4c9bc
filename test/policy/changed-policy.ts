import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { binaryOf, type Policy, readPolicy } from "./built-policy.ts";
import type { OurRight } from "./needed.ts";

/** Makes a module that makes the kernel log each use of these rights, as "avc: granted". */
function formatAuditRules(rights: readonly OurRight[]): string {
  return rights
    .map(
      ({ source, target, tclass, permission }) =>
        `(auditallow ${source} ${target} (${tclass} (${permission})))\n`,
    )
    .join("");
}

/** Returns the name of the boolean that disables the right with this index. */
export function switchOf(index: number): string {
  return `svirt_right_${index}`;
}

/**
 * Makes a module that allows these rights, each under its own boolean. The one with the index `off` is
 * initially false.
 */
export function formatSwitches(rights: readonly OurRight[], off?: number): string {
  return rights
    .map(({ source, target, tclass, permission }, index) => {
      const name = switchOf(index);
      return `(boolean ${name} ${index !== off})\n(booleanif ${name} (true (allow ${source} ${target} (${tclass} (${permission})))))\n`;
    })
    .join("");
}

/** Builds the policy of this folder with such a module. The caller removes the returned folder. */
export function buildAudited(folder: string, rights: readonly OurRight[]): string {
  return buildWith(folder, new Map([["svirt-audited.cil", formatAuditRules(rights)]]));
}

/** Reads the policy of this folder with these modules, which replace or extend its own. */
export function readWith(folder: string, modules: ReadonlyMap<string, string>): Policy {
  const out = buildWith(folder, modules);
  try {
    return readPolicy(binaryOf(`${out}/store`));
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** Builds such a policy: STORE in the returned folder, which the caller removes. */
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
