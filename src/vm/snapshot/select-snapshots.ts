import type { Instance } from "../../state/instance.ts";
import type { SnapshotTree, StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import { findSnapshots, snapshotIn } from "./find-snapshot.ts";

/** Snapshots to list: each group of given options selects snapshots with any of its properties. */
export interface SnapshotFilter {
  /** Without `from`: only those without a parent. */
  readonly roots?: boolean;
  /** With `from`: also those below its children. */
  readonly descendants?: boolean;
  readonly leaves?: boolean;
  readonly noLeaves?: boolean;
  readonly metadata?: boolean;
  readonly noMetadata?: boolean;
  readonly inactive?: boolean;
  readonly active?: boolean;
  readonly diskOnly?: boolean;
  readonly internal?: boolean;
  readonly external?: boolean;
}

/** Snapshot whose children are listed, and the filter. */
export interface SnapshotSelection {
  /** Undefined: all snapshots are listed. */
  readonly from?: string | undefined;
  readonly filter: SnapshotFilter;
}

/**
 * Lists snapshots of a domain, each after its parent. Throws "not-found". virDomainSnapshotObjListGetNames()
 * of libvirt
 */
export function selectSnapshots(
  instance: Instance,
  key: string,
  { filter, from }: SnapshotSelection,
): readonly StoredSnapshot[] {
  const { tree } = findSnapshots(instance, key);
  const start = from === undefined ? undefined : snapshotIn(tree, from).name;
  // svirt keeps data of each snapshot.
  if (filter.noMetadata === true && filter.metadata !== true) return [];
  const isDeep = start === undefined ? filter.roots !== true : filter.descendants === true;
  const chosen = isDeep ? listBelow(tree, start) : childrenOf(tree, start);
  const parents = new Set(tree.snapshots.map(({ parent }) => parent));
  return chosen.filter((one) => isSelected(one, { isLeaf: !parents.has(one.name), filter }));
}

/** Lists the snapshots with the parent; undefined: the snapshots without a parent. */
export function childrenOf({ snapshots }: SnapshotTree, parent: string | undefined): StoredSnapshot[] {
  return snapshots.filter((one) => one.parent === parent);
}

/**
 * Lists the snapshots below a snapshot, or all, each after its parent. A domain may have a chain of
 * thousands.
 */
export function listBelow({ snapshots }: SnapshotTree, parent: string | undefined): StoredSnapshot[] {
  const children = Map.groupBy(snapshots, (one) => one.parent);
  const listed = new Set<StoredSnapshot>();
  const next = [...(children.get(parent) ?? [])].reverse();
  for (let one = next.pop(); one !== undefined; one = next.pop()) {
    // Only a damaged file has a circle.
    if (listed.has(one)) continue;
    listed.add(one);
    next.push(...(children.get(one.name) ?? []).toReversed());
  }
  return [...listed];
}

/** virDomainSnapshotFilter() of libvirt */
function isSelected(
  { isExternal, state }: StoredSnapshot,
  { filter, isLeaf }: { readonly filter: SnapshotFilter; readonly isLeaf: boolean },
): boolean {
  const isActive = state !== "shutoff" && state !== "disk-snapshot";
  return (
    isOneOf([isLeaf, filter.leaves], [!isLeaf, filter.noLeaves]) &&
    isOneOf(
      [state === "shutoff", filter.inactive],
      [isActive, filter.active],
      [state === "disk-snapshot", filter.diskOnly],
    ) &&
    isOneOf([!isExternal, filter.internal], [isExternal, filter.external])
  );
}

/** Whether a property that a snapshot has is asked for. Without any, all are. */
function isOneOf(...group: readonly (readonly [has: boolean, isAsked: boolean | undefined])[]): boolean {
  return (
    group.every(([, isAsked]) => isAsked !== true) || group.some(([has, isAsked]) => has && isAsked === true)
  );
}
