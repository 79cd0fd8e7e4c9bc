import type { FileFacts } from "../host/files.ts";
import { fileKey, PENDING_FILE } from "../plan/facts/file-key.ts";
import type { Ownership } from "../plan/facts/step-parts.ts";
import type { ResolvedFile } from "../resolve/resolved-file.ts";
import { type Instance, registryOf } from "../state/instance.ts";

/** S_ISUID and S_ISGID of stat(2): a file that has them runs as its owner or group. */
const RUNS_AS_OWNER = 0o6000;

/**
 * Returns the owner, group and mode restored by the guest's end on a file of its user: the values from before
 * the first of its current guests. A file written by the guest never becomes a program with its owner's
 * rights. Undefined for a file of another user, unchangeable to the guest's user, for a socket, and for a
 * file made by the start.
 */
export function ownershipOf(
  instance: Instance,
  { facts, role }: Pick<ResolvedFile, "facts" | "role">,
  uid: number,
): Ownership | undefined {
  if (facts.uid !== uid || facts.id.inode === PENDING_FILE.inode || facts.type === "socket") return undefined;
  const [holder] = registryOf(instance).listHolders("file", fileKey(facts.id));
  if (holder?.ownership !== undefined) return holder.ownership;
  const { gid, mode } = facts;
  return { uid, gid, mode: isWrittenProgram(facts, role) ? mode & ~RUNS_AS_OWNER : mode };
}

function isWrittenProgram({ type }: FileFacts, role: ResolvedFile["role"]): boolean {
  return type === "file" && role !== "content" && role !== "host";
}
