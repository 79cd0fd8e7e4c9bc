import { readdirSync, readlinkSync, statSync } from "node:fs";
import type { OpenFile } from "../../processes.ts";
import { fileFacts } from "../files/file-id.ts";
import { getxattr } from "../labels/xattr.ts";

/**
 * Implements Host.listOpenFiles as far as /proc shows. Skips a descriptor that has been closed since it was
 * listed.
 */
export function listOpenFiles(
  pid: number,
  isLeftOut: (target: string) => boolean = () => false,
): readonly OpenFile[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    const path = `/proc/${pid}/fd/${name}`;
    try {
      const target = readlinkSync(path);
      const isInspected = target.startsWith("/") && !isLeftOut(target);
      return [
        {
          fd: Number(name),
          target,
          label: isInspected ? getxattr(path, "security.selinux") : undefined,
          id: isInspected ? fileFacts(target, statSync(path, { bigint: true })).id : undefined,
        },
      ];
    } catch {
      return [];
    }
  });
}
