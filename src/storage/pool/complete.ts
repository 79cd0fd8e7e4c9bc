import { SvirtError } from "../../errors.ts";
import type { Pool } from "./stored-pool.ts";

/** Pool with its UUID. */
export type CompletedPool = Pool & { readonly uuid: string };

/**
 * Returns the pool with its UUID, or with the spare UUID. Throws "unsupported" for a target with another path
 * of its folder: svirt compares the targets of pools by their paths.
 */
export function completePool(pool: Pool, spareUuid: string): CompletedPool {
  if (pool.target !== undefined) refuseIndirect(pool.target.path);
  return { ...pool, uuid: pool.uuid ?? spareUuid };
}

function refuseIndirect(path: string): void {
  const why = problemOf(path);
  if (why === undefined) return;
  throw new SvirtError(`Cannot use /pool/target/path: ${path} ${why}`, {
    kind: "unsupported",
    remedy: "Write the folder's path from / without symbolic links.",
    place: "/pool/target/path",
  });
}

function problemOf(path: string): string | undefined {
  if (!path.startsWith("/")) return "is not an absolute path";
  if (path === "/") return "is the root of the file system";
  const names = path.slice(1).split("/");
  if (names.includes("")) return "has an empty name between two slashes";
  return names.some((name) => name === "." || name === "..") ? 'has the name "." or ".."' : undefined;
}
