import type { Host } from "../../host/host.ts";
import type { Step } from "../../plan/steps/step.ts";
import { isStill } from "../labels/remembered-label.ts";

/**
 * Revokes the access of a guest's user to a file. A missing or replaced file is left alone. After a reboot the file is
 * identified by its inode and svirt's mark.
 */
export function revokeFileAccess(host: Host, { file, uid }: Extract<Step, { do: "revoke" }>): void {
  const found = host.withInspected(file.path, (now) =>
    isStill(host, now, file) === true ? now.facts.id : undefined,
  );
  if (found !== undefined) host.revokeAccess(found, uid);
}
