import type { ApiUse } from "../../../access/uses.ts";
import type { StoredSnapshot } from "../../../state/snapshots/snapshots.ts";
import { type SnapshotFilter, selectSnapshots } from "../../../vm/snapshot/select-snapshots.ts";
import { array, int, struct, uint } from "../../xdr/form.ts";
import { listing, listOf } from "../listing.ts";
import {
  aNumber,
  domain,
  domainKeys,
  keyOf,
  LIST_MAX,
  ofDomainWithFlags,
  type RemoteDomain,
  text,
} from "../objects.ts";
import { type Procedure, procedure, type RemoteCall } from "../procedure.ts";
import {
  ofSnapshot,
  ownerOf,
  type RemoteSnapshot,
  remoteSnapshots,
  snapshot,
  snapshotKeys,
} from "./snapshot-objects.ts";

/**
 * Bits of a filter, in the order of their values. The first is _ROOTS for a domain and _DESCENDANTS for a
 * snapshot; the last, _TOPOLOGICAL, is not in it, since svirt always lists so. virDomainSnapshotListFlags of
 * libvirt's libvirt-domain-snapshot.h
 */
const FILTER = [
  ...(["roots", "metadata", "leaves", "noLeaves", "noMetadata"] as const),
  ...(["inactive", "active", "diskOnly", "internal", "external"] as const),
] satisfies (keyof SnapshotFilter)[];
const TOPOLOGICAL = 2 ** FILTER.length;
const LIST_FLAGS = TOPOLOGICAL * 2 - 1;

const aCount = struct({ value: int });
const names = struct({ names: array(text, LIST_MAX) });
const listed = listing(snapshot);

/** Procedures listing the snapshots of a domain, or the snapshots below a snapshot. */
export const snapshotListProcedures: readonly Procedure[] = [
  procedure({
    ...ofDomain(187, "virDomainSnapshotNum"),
    args: ofDomainWithFlags,
    flags: { known: LIST_FLAGS, refusedBy: "qemuDomainSnapshotNum" },
    result: aNumber,
    run: (call) => ({ value: allOf(call).length }),
  }),
  procedure({
    ...ofDomain(188, "virDomainSnapshotListNames"),
    args: struct({ dom: domain, most: int, flags: uint }),
    flags: { known: LIST_FLAGS, refusedBy: "qemuDomainSnapshotListNames" },
    result: names,
    run: (call) => namesOf(allOf(call), call.args.most),
  }),
  procedure({
    ...ofDomain(274, "virDomainListAllSnapshots"),
    args: struct({ dom: domain, needsResults: int, flags: uint }),
    flags: { known: LIST_FLAGS, refusedBy: "qemuDomainListAllSnapshots" },
    result: listed,
    run: (call) => listOf(call.args, remoteSnapshots(call, call.args.dom, allOf(call))),
  }),
  procedure({
    ...ofOne(246, "virDomainSnapshotNumChildren"),
    args: ofSnapshot,
    flags: { known: LIST_FLAGS, refusedBy: "qemuDomainSnapshotNumChildren" },
    result: aCount,
    run: (call) => ({ value: childrenOf(call).length }),
  }),
  procedure({
    ...ofOne(247, "virDomainSnapshotListChildrenNames"),
    args: struct({ snap: snapshot, most: int, flags: uint }),
    flags: { known: LIST_FLAGS, refusedBy: "qemuDomainSnapshotListChildrenNames" },
    result: names,
    run: (call) => namesOf(childrenOf(call), call.args.most),
  }),
  procedure({
    ...ofOne(275, "virDomainSnapshotListAllChildren"),
    args: struct({ snap: snapshot, needsResults: int, flags: uint }),
    flags: { known: LIST_FLAGS, refusedBy: "qemuDomainSnapshotListAllChildren" },
    result: listed,
    run: (call) => listOf(call.args, remoteSnapshots(call, call.args.snap.dom, childrenOf(call))),
  }),
];

/** Returns the common facts of procedures about a domain. */
function ofDomain<const Api extends ApiUse>(number: number, api: Api) {
  return { number, api, recovers: domainKeys } as const;
}

/** Returns the common facts of procedures about a snapshot. */
function ofOne<const Api extends ApiUse>(number: number, api: Api) {
  return { number, api, recovers: snapshotKeys } as const;
}

function allOf(
  call: RemoteCall<{ readonly dom: RemoteDomain; readonly flags: number }>,
): readonly StoredSnapshot[] {
  return selectSnapshots(call.instance, keyOf(call), { filter: filterOf(call.args.flags) });
}

function childrenOf(
  call: RemoteCall<{ readonly snap: RemoteSnapshot; readonly flags: number }>,
): readonly StoredSnapshot[] {
  const { roots = false, ...filter } = filterOf(call.args.flags);
  const { name } = call.args.snap;
  return selectSnapshots(call.instance, ownerOf(call), {
    from: name,
    filter: { ...filter, descendants: roots },
  });
}

function filterOf(flags: number): SnapshotFilter {
  return Object.fromEntries(FILTER.map((name, at) => [name, (flags & (1 << at)) !== 0]));
}

function namesOf(all: readonly StoredSnapshot[], most: number): { readonly names: readonly string[] } {
  return { names: all.slice(0, Math.max(0, most)).map(({ name }) => name) };
}
