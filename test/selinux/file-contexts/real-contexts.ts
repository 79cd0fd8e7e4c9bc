import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import type { FileContextsTexts } from "../../../src/selinux/file-contexts/look-up.ts";

const CACHE = process.env["SVIRT_CACHE"] ?? `${process.env["XDG_CACHE_HOME"] ?? `${homedir()}/.cache`}/svirt`;

/**
 * Returns the policy built on this machine for the node's image, or else this machine's own, or undefined.
 */
export function readRealContexts(): FileContextsTexts | undefined {
  const base = [...builtFolders(), "/etc/selinux/default", "/etc/selinux/targeted"]
    .map((folder) => `${folder}/contexts/files/file_contexts`)
    .find((path) => existsSync(path));
  if (base === undefined) return undefined;
  const text = readFileSync(base, "utf8");
  const other = (suffix: string): string | undefined =>
    existsSync(`${base}.${suffix}`) ? readFileSync(`${base}.${suffix}`, "utf8") : undefined;
  const [homedirs, local, subs, subsDist] = ["homedirs", "local", "subs", "subs_dist"].map(other);
  return {
    base: { text, path: base },
    ...(homedirs === undefined ? {} : { homedirs: { text: homedirs, path: `${base}.homedirs` } }),
    ...(local === undefined ? {} : { local: { text: local, path: `${base}.local` } }),
    ...(subs === undefined ? {} : { subs }),
    ...(subsDist === undefined ? {} : { subsDist }),
  };
}

function builtFolders(): string[] {
  const node = `${CACHE}/node`;
  if (!existsSync(node)) return [];
  return readdirSync(node)
    .filter((name) => name.startsWith("policy-base-"))
    .map((name) => `${node}/${name}/etc/selinux/default`);
}
