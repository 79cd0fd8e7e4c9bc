import type { Host } from "../../host/host.ts";
import type { OwnerStep } from "../../plan/steps/owner.ts";
import { isStill } from "./remembered-label.ts";

/**
 * Restores the owner, group and mode of a file from before the guest. Until then the record remembers them. A
 * missing or replaced file is left alone. Without a mark, as after a reboot with another device number, the
 * inode number and the owner identify the file.
 */
export function restoreOwner(host: Host, { file, ownership }: OwnerStep): void {
  const found = host.withInspected(file.path, (now) =>
    (isStill(host, now, file) ?? now.facts.uid === ownership.uid) ? now.facts.id : undefined,
  );
  if (found !== undefined) host.setOwnership(found, ownership);
}
