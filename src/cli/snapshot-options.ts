import { SvirtError } from "../errors.ts";
import type { SnapshotFlags } from "../vm/snapshot/create-snapshot.ts";
import { type FoundSnapshot, findCurrentSnapshot, findSnapshot } from "../vm/snapshot/find-snapshot.ts";
import { type Call, type Operand, type Option, operand } from "./command.ts";

/** Operand of commands about a snapshot. */
export const SNAPSHOT_OPERAND: Operand = {
  name: "snapshotname",
  summary: "name of the snapshot",
  isOptional: true,
};

/** Option for the current snapshot. */
export const CURRENT_OPTION: Option = { name: "current", summary: "the domain's current snapshot" };

/**
 * Returns the snapshot of a call, by its name or as the current snapshot. Throws "usage" with virsh's
 * message, "not-found".
 */
export function snapshotOf(call: Call): FoundSnapshot {
  const found = maybeSnapshotOf(call, call.operands.get(SNAPSHOT_OPERAND.name), SNAPSHOT_OPERAND.name);
  if (found !== undefined) return found;
  throw new SvirtError("--snapshotname or --current is required", {
    kind: "usage",
    remedy: "Name a snapshot: svirt snapshot-list DOMAIN lists them.",
  });
}

/**
 * Returns the named snapshot, or with --current the current snapshot; undefined without both.
 * virshLookupSnapshot() of libvirt
 */
export function maybeSnapshotOf(
  call: Call,
  name: string | undefined,
  option: string,
): FoundSnapshot | undefined {
  const domain = operand(call, "domain");
  const isCurrent = call.options.has(CURRENT_OPTION.name);
  if (name !== undefined && isCurrent) {
    throw new SvirtError(`--${option} and --current are mutually exclusive`, {
      kind: "usage",
      remedy: "Leave one of the two out.",
    });
  }
  if (name !== undefined) return findSnapshot(call.instance, domain, name);
  return isCurrent ? findCurrentSnapshot(call.instance, domain) : undefined;
}

/** Returns how the options ask for a new snapshot. */
export function newSnapshotFlags({ options }: Call): SnapshotFlags {
  return {
    isDiskOnly: options.has("disk-only"),
    isKept: !options.has("no-metadata"),
    reuses: options.has("reuse-external"),
    quiesces: options.has("quiesce"),
    halts: options.has("halt"),
  };
}
