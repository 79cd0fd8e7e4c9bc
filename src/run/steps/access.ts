import type { Host } from "../../host/host.ts";
import type { AccessStep } from "../../plan/steps/access.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { isStill } from "../labels/remembered-label.ts";
import type { Runs } from "./runs.ts";

/** Effects of the steps on the access of a guest's user to files. */
export const runAccess: Runs<AccessStep> = {
  grant: ({ host }, step) => host.grantAccess(step.file, step),
  revoke: ({ host }, step) => revokeFileAccess(host, step),
};

/**
 * Revokes the access of a guest's user to a file. A missing or replaced file is left alone. After a reboot the file is
 * identified by its inode and svirt's mark.
 */
function revokeFileAccess(host: Host, { file, uid }: StepOf<"revoke">): void {
  const found = host.withInspected(file.path, (now) =>
    isStill(host, now, file) === true ? now.facts.id : undefined,
  );
  if (found !== undefined) host.revokeAccess(found, uid);
}
