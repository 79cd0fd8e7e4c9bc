import { refusePasswords } from "../../domain/forbidden/passwords.ts";
import { definitionIn, parseSnapshot, type Snapshot } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { refuseFull, refuseUnreadable } from "../../state/snapshots/snapshot-limits.ts";
import { storedSnapshot, withoutRevertDisks } from "../../state/snapshots/snapshot-tree.ts";
import type { SnapshotTree } from "../../state/snapshots/snapshots.ts";
import { carryOut } from "../object-change/carry-out.ts";
import { changeSnapshots, type SnapshotsChange } from "./change-snapshots.ts";
import { refuseName } from "./create-snapshot.ts";
import { treeOf } from "./delete-snapshot.ts";

/** How a snapshot is defined. */
interface RedefineFlags {
  /** The snapshot becomes the current one. */
  readonly isCurrent: boolean;
  /** Its state must be that of a snapshot of disks only. */
  readonly isDiskOnly: boolean;
}

/** Stores a snapshot as redefinition() does. Returns its name. */
export async function redefineSnapshot(
  instance: Instance,
  key: string,
  asked: Redefined,
): Promise<{ readonly name: string }> {
  const { change, name } = redefinition(key, asked);
  await carryOut(instance, change);
  return { name };
}

/** Snapshot to define. */
interface Redefined {
  readonly bytes: Uint8Array;
  readonly flags: RedefineFlags;
}

/**
 * Returns the change that stores a snapshot as its XML describes it, or replaces the snapshot of the name; no
 * image changes. Throws "xml", "unsupported" with the place, "usage" with libvirt's messages.
 * virDomainSnapshotRedefinePrep() of libvirt
 */
export function redefinition(
  key: string,
  { bytes, flags }: Redefined,
): { readonly change: SnapshotsChange; readonly name: string } {
  const snapshot = whole(parseSnapshot(bytes));
  const { name = "" } = snapshot;
  refuseName(name);
  refuseUntakenState(snapshot);
  refuseUnreadable(snapshot);
  // As with definitions: keys that may only read see it.
  for (const domain of [snapshot.domain, snapshot.inactiveDomain])
    if (domain !== undefined && "devices" in domain) refusePasswords(domain);
  const change = changeSnapshots("snapshot-create", key, ({ domain, tree }) => {
    refuseParent(tree, snapshot);
    refuseState(snapshot, flags);
    refuseOtherDomain(snapshot, domain.uuid);
    const added = storedSnapshot(addOldDomain(tree, snapshot));
    const isKnown = tree.snapshots.some((one) => one.name === name);
    if (!isKnown) refuseFull(tree, name);
    const snapshots = isKnown
      ? tree.snapshots.map((one) => (one.name === name ? changeKind(one.state, added) : one))
      : [...tree.snapshots, added];
    if (!flags.isCurrent) return treeOf(tree.current, snapshots);
    return treeOf(name, withoutRevertDisks({ snapshots }, tree.current === name ? undefined : tree.current));
  });
  return { change, name };
}

/**
 * Throws "xml" for a document without the parts of a stored snapshot. virDomainSnapshotDefParse() of libvirt
 */
function whole(snapshot: Snapshot): Snapshot {
  const { creationTime, memory, name, state } = snapshot;
  if (name === undefined) throw lacking("a redefined snapshot must have a name", "name");
  if (creationTime === undefined)
    throw new SvirtError("internal error: missing creationTime from existing snapshot", {
      kind: "xml",
      libvirt: "INTERNAL_ERROR",
      from: "DOMAIN_SNAPSHOT",
      place: "/domainsnapshot/creationTime",
      remedy: "Write /domainsnapshot/creationTime, or leave --redefine out.",
    });
  if (state === undefined) throw lacking("missing state from existing snapshot", "state");
  const isOffline = state === "shutoff" || state === "disk-snapshot";
  const usual = isOffline ? "no" : "internal";
  const location = memory?.snapshot ?? (memory?.file === undefined ? usual : "external");
  if (isOffline && location !== "no")
    throw lacking("memory state cannot be saved with offline or disk-only snapshot", "memory");
  return { ...snapshot, memory: { ...memory, snapshot: location } };
}

/** virDomainMomentCheckCycles() of libvirt */
function refuseParent(tree: SnapshotTree, { name, parent }: Snapshot): void {
  if (parent === undefined) return;
  if (parent.name === name) throw misplaced(`cannot set moment ${name} as its own parent`);
  const byName = new Map(tree.snapshots.map((one) => [one.name, one]));
  let above = byName.get(parent.name);
  if (above === undefined) throw misplaced(`parent ${parent.name} for moment ${name} not found`);
  while (above?.parent !== undefined) {
    if (above.parent === name) throw misplaced(`parent ${above.name} would create cycle to ${name}`);
    above = byName.get(above.parent);
  }
}

/** virDomainSnapshotRedefineValidate() of libvirt */
function refuseState({ name, state }: Snapshot, { isDiskOnly }: RedefineFlags): void {
  if (isDiskOnly && state !== "disk-snapshot")
    throw invalid(`disk-only flag for snapshot ${name} requires disk-snapshot state`);
}

function refuseOtherDomain({ domain, inactiveDomain, name }: Snapshot, uuid: string): void {
  const uuids = [domain, inactiveDomain].flatMap((one) => one?.uuid ?? []);
  if (uuids.some((one) => one !== uuid))
    throw invalid(`definition for snapshot ${name} must use uuid ${uuid}`);
}

/** Returns the snapshot with the domain of the replaced snapshot, if it has none. */
function addOldDomain(tree: SnapshotTree, snapshot: Snapshot): Snapshot {
  const before = tree.snapshots.find(({ name }) => name === snapshot.name);
  if (before === undefined || definitionIn(snapshot) !== undefined) return snapshot;
  const { domain } = parseSnapshot(new TextEncoder().encode(before.xml));
  return domain === undefined ? snapshot : { ...snapshot, domain };
}

/** Throws "usage" if a snapshot would become one of another kind. */
function changeKind<Stored extends { readonly name: string; readonly state: string }>(
  before: string,
  after: Stored,
): Stored {
  const isOnline = (state: string): boolean => state === "running" || state === "paused";
  if (isOnline(before) !== isOnline(after.state))
    throw invalid(`cannot change between online and offline snapshot state in snapshot ${after.name}`);
  if ((before === "disk-snapshot") !== (after.state === "disk-snapshot"))
    throw invalid(`cannot change between disk only and full system in snapshot ${after.name}`);
  return after;
}

/** Throws libvirt's refusals of states that no snapshot has. qemuSnapshotCreateXMLValidateDef() of libvirt */
function refuseUntakenState({ state }: Snapshot): void {
  const remedy = "Write the state of a stored snapshot: svirt snapshot-list DOMAIN";
  if (state === "pmsuspended")
    throw new SvirtError(
      "Operation not supported: qemu doesn't support taking snapshots of PMSUSPENDED guests",
      { kind: "unsupported", libvirt: "OPERATION_UNSUPPORTED", from: "QEMU", remedy },
    );
  if (state === "blocked")
    throw new SvirtError("internal error: Invalid domain state blocked", {
      kind: "xml",
      libvirt: "INTERNAL_ERROR",
      from: "QEMU",
      remedy,
    });
}

/** Returns a refusal of the list that libvirt also has for checkpoints. */
function misplaced(why: string): SvirtError {
  return invalid(why, "DOMAIN");
}

function invalid(why: string, from: "DOMAIN" | "DOMAIN_SNAPSHOT" = "DOMAIN_SNAPSHOT"): SvirtError {
  return new SvirtError(`invalid argument: ${why}`, {
    kind: "usage",
    from,
    remedy: "Print a stored snapshot as an example: svirt snapshot-dumpxml DOMAIN SNAPSHOT",
  });
}

function lacking(why: string, place: string): SvirtError {
  return new SvirtError(`XML error: ${why}`, {
    kind: "xml",
    from: "DOMAIN_SNAPSHOT",
    place: `/domainsnapshot/${place}`,
    remedy: `Write /domainsnapshot/${place}, or leave --redefine out.`,
  });
}
