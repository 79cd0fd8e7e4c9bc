import type { Host } from "../host.ts";
import type { Step } from "../plan/step.ts";
import { isOfEarlierBoot } from "./remembered.ts";

/**
 * Takes back what a guest's user was let do to a file. One that is gone, or that another one has replaced, is left alone;
 * after a reboot it is known by its inode and svirt's mark.
 */
export function revokeFileAccess(host: Host, { file, uid }: Extract<Step, { do: "revoke" }>): void {
  const now = host.inspectFile(file.path)?.id;
  if (now === undefined || now.inode !== file.inode || now.path !== file.path) return;
  const isSame = now.device === file.device && now.node === file.node;
  if (isSame || isOfEarlierBoot(host, now) === true) host.revokeAccess(now, uid);
}
