import type { Host } from "../../host/host.ts";
import type { OwnerStep } from "../../plan/steps/owner.ts";
import { isStill } from "./remembered-label.ts";

/**
 * Gives a file the owner, group and mode that it had before the guest; until then the record remembers them. One that is
 * gone, or that another one has replaced, is left alone. Where no mark tells, as after a reboot that gave its device another
 * number, the inode's number and the user whose file it was say that it is the one.
 */
export function runOwnerStep(host: Host, { do: name, file, ownership }: OwnerStep): void {
  if (name === "remember-owner") return;
  const found = host.withInspected(file.path, (now) =>
    (isStill(host, now, file) ?? now.facts.uid === ownership.uid) ? now.facts.id : undefined,
  );
  if (found !== undefined) host.setOwnership(found, ownership);
}
