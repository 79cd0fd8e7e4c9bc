import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { readSnapshots, type SnapshotTree, type StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";

/** A domain with its snapshots. */
export interface DomainSnapshots {
  readonly domain: FoundDomain;
  readonly tree: SnapshotTree;
}

/** A snapshot of a domain. */
export interface FoundSnapshot extends DomainSnapshots {
  readonly snapshot: StoredSnapshot;
}

/** Returns a domain with its snapshots. Throws "not-found". */
export function findSnapshots(instance: Instance, key: string): DomainSnapshots {
  const domain = findDomain(instance, key);
  return { domain, tree: readSnapshots(instance, domain.uuid) };
}

/** Returns a snapshot by its name. Throws "not-found" with libvirt's message. */
export function findSnapshot(instance: Instance, key: string, name: string): FoundSnapshot {
  const found = findSnapshots(instance, key);
  return { ...found, snapshot: snapshotIn(found.tree, name) };
}

/**
 * Returns a domain's current snapshot. Throws "not-found" with libvirt's message. qemuDomainSnapshotCurrent()
 * of libvirt
 */
export function findCurrentSnapshot(instance: Instance, key: string): FoundSnapshot {
  const found = findSnapshots(instance, key);
  const { current } = found.tree;
  if (current !== undefined) return { ...found, snapshot: snapshotIn(found.tree, current) };
  throw notFound("the domain does not have a current snapshot");
}

/**
 * Returns a snapshot's parent. Throws "not-found" with libvirt's message. qemuDomainSnapshotGetParent() of
 * libvirt
 */
export function findParentSnapshot(instance: Instance, key: string, name: string): StoredSnapshot {
  const { snapshot, tree } = findSnapshot(instance, key, name);
  if (snapshot.parent !== undefined) return snapshotIn(tree, snapshot.parent);
  throw notFound(`snapshot '${name}' does not have a parent`);
}

/**
 * Returns the snapshot of that name. Throws "not-found" with libvirt's message. qemuSnapObjFromName() of
 * libvirt
 */
export function snapshotIn({ snapshots }: SnapshotTree, name: string): StoredSnapshot {
  const found = snapshots.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw notFound(`no domain snapshot with matching name '${name}'`);
}

function notFound(why: string): SvirtError {
  return new SvirtError(`Domain snapshot not found: ${why}`, {
    kind: "not-found",
    libvirt: "NO_DOMAIN_SNAPSHOT",
    remedy: "svirt snapshot-list DOMAIN lists the snapshots.",
  });
}
