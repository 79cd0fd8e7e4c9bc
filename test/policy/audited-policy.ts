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

/** The policy of this folder with such a module, for the caller to remove with the folder that is given. */
export function buildAudited(folder: string, rights: readonly OurRight[]): string {
  const out = mkdtempSync(`${tmpdir()}/svirt-audited-`);
  writeFileSync(`${out}/svirt-audited.cil`, formatAuditRules(rights));
  buildWith(folder, out, [`${out}/svirt-audited.cil`]);
  return out;
}

/** Debian's policy with svirt's types and what svirt takes away, but nothing that svirt allows: read as `use` may. */
export function readWithoutOurAllows(folder: string, modules: ReadonlyMap<string, string>): Policy {
  const out = mkdtempSync(`${tmpdir()}/svirt-bare-`);
  try {
    const paths = [...modules].map(([name, text]) => {
      writeFileSync(`${out}/${name}`, text);
      return `${out}/${name}`;
    });
    buildWith(folder, out, paths);
    return readPolicy(binaryOf(`${out}/store`));
  } finally {
    rmSync(out, { recursive: true });
  }
}

function buildWith(folder: string, out: string, modules: readonly string[]): void {
  run(["cp", "-a", folder, `${out}/store`]);
  run(["semodule", "-p", `${out}/store`, "-N", "-n", "-s", "default", "-X", "400", "-i", ...modules]);
}

function run(words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(words);
  if (exitCode !== 0) throw new Error(`${words[0]} failed: ${stderr}`);
}
