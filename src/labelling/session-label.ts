import { SvirtError } from "../errors.ts";
import { PENDING_FILE } from "../plan/facts/file-key.ts";
import type { ResolvedFile } from "../resolve/resolved-file.ts";
import { getFileLabel } from "../run/labels/get-file-label.ts";
import { type Instance, isSession } from "../state/instance.ts";

/**
 * Returns the label to set in a session, where the kernel lets an ordinary user label only own files. Another
 * user's file must have the label already, and keeps it: undefined. Throws "denied". inode_owner_or_capable()
 * of Linux
 */
export function labelByOwner(
  instance: Instance,
  { facts, named, role }: ResolvedFile,
  wanted: string | undefined,
): string | undefined {
  if (wanted === undefined || !isSession(instance)) return wanted;
  const isPlanned = facts.id.inode === PENDING_FILE.inode;
  if (isPlanned || facts.uid === instance.host.getUid()) return wanted;
  if (getFileLabel(instance.host, facts.id) === wanted) return undefined;
  throw new SvirtError(
    `Cannot label ${named} ${wanted}: it belongs to user ${facts.uid}, and only that user and root may label it`,
    {
      kind: "denied",
      remedy:
        role === "content"
          ? `Have root label it for all guests that read it: svirt label set ${named} ${wanted}`
          : "Give the guest a file that you own.",
    },
  );
}
