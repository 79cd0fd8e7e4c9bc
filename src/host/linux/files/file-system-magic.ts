import { statfsSync } from "node:fs";
import { asSvirtError } from "../../../errors.ts";
import { orThrow } from "./files.ts";

/**
 * Returns f_type of the file system of a path; undefined if svirt is not permitted to read it. SELinux checks
 * a permission on the file system, which may have any label if mounted with `context=`. Throws "host-call".
 * statfs(2)
 */
export function fileSystemMagic(path: string): number | undefined {
  try {
    const { type } = orThrow(`inspect the file system of ${path}`, () => statfsSync(path, { bigint: true }));
    return Number(BigInt.asUintN(32, type));
  } catch (error) {
    if (asSvirtError(error).kind === "no-access") return undefined;
    throw error;
  }
}
