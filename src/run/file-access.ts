import type { Host, OpenedFile } from "../host.ts";
import type { Step } from "../plan/step.ts";
import { isOfEarlierBoot } from "./remembered.ts";

/**
 * Takes back what a guest's user was let do to a file. One that is gone, or that another one has replaced, is left alone;
 * after a reboot it is known by its inode and svirt's mark.
 */
export function revokeFileAccess(host: Host, { file, uid }: Extract<Step, { do: "revoke" }>): void {
  const isOurs = ({ facts: { id }, ...now }: OpenedFile): boolean => {
    if (id.inode !== file.inode || id.path !== file.path) return false;
    return (id.device === file.device && id.node === file.node) || isOfEarlierBoot(host, now) === true;
  };
  const found = host.withInspected(file.path, (now) => (isOurs(now) ? now.facts.id : undefined));
  if (found !== undefined) host.revokeAccess(found, uid);
}
