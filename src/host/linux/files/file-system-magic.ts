import { statfsSync } from "node:fs";
import { asSvirtError } from "../../../errors.ts";
import { orThrow } from "./files.ts";

/**
 * f_type of the file system of a path. Returns undefined where svirt may not ask: SELinux asks for a right on the file system,
 * and one that was mounted with `context=` may have any label. Throws "host-call". statfs(2)
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
