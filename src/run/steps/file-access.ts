import type { Host } from "../../host/host.ts";
import type { Step } from "../../plan/steps/step.ts";
import { isStill } from "../labels/remembered-label.ts";

/**
 * Takes back what a guest's user was let do to a file. One that is gone, or that another one has replaced, is left alone;
 * after a reboot it is known by its inode and svirt's mark.
 */
export function revokeFileAccess(host: Host, { file, uid }: Extract<Step, { do: "revoke" }>): void {
  const found = host.withInspected(file.path, (now) =>
    isStill(host, now, file) === true ? now.facts.id : undefined,
  );
  if (found !== undefined) host.revokeAccess(found, uid);
}
