import type { ApiUse } from "../../../access/uses.ts";
import { createSnapshot, snapshotFromXml } from "../../../vm/snapshot/create-snapshot.ts";
import { deleteSnapshot } from "../../../vm/snapshot/delete-snapshot.ts";
import {
  findCurrentSnapshot,
  findParentSnapshot,
  findSnapshot,
  findSnapshots,
} from "../../../vm/snapshot/find-snapshot.ts";
import { redefineSnapshot } from "../../../vm/snapshot/redefine-snapshot.ts";
import { revertDomain } from "../../../vm/snapshot/revert-memory.ts";
import { int, struct, uint } from "../../xdr/form.ts";
import { onlyOneOf } from "../impact.ts";
import { aText, domain, domainKeys, keyOf, nothing, ofDomainWithFlags, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";
import {
  aSnapshot,
  ofSnapshot,
  ownerOf,
  type RemoteSnapshot,
  remoteSnapshots,
  snapshotKeys,
} from "./snapshot-objects.ts";

/**
 * virDomainSnapshotCreateFlags of libvirt's libvirt-domain-snapshot.h: without _LIVE, which is for snapshots
 * of memory. All disks get their overlays at once, and svirt refuses what libvirt's schema does not allow in
 * any case.
 */
const CREATE = {
  redefine: 1,
  current: 2,
  noMetadata: 4,
  halts: 8,
  diskOnly: 16,
  reuses: 32,
  quiesces: 64,
  atomic: 128,
  validates: 512,
};
const CREATE_FLAGS = Object.values(CREATE).reduce((all, bit) => all | bit);
/** VIR_DOMAIN_SNAPSHOT_XML_SECURE. The XML has no secrets that it would show: svirt refuses passwords. */
const SECURE = 1;
/** virDomainSnapshotRevertFlags: without _PAUSED and _RESET_NVRAM. */
const REVERT = { running: 1, force: 4 };
/** virDomainSnapshotDeleteFlags */
const DELETE = { children: 1, metadataOnly: 2, childrenOnly: 4 };
const DELETE_FLAGS = DELETE.children | DELETE.metadataOnly | DELETE.childrenOnly;

/** Deleted snapshots by the flags for the snapshots below. */
const WHICH = { neither: "one", first: "tree", second: "children" } as const;

const aResult = struct({ value: int });

/** Procedures about a snapshot of a domain. */
export const snapshotProcedures: readonly Procedure[] = [
  procedure({
    number: 185,
    api: "virDomainSnapshotCreateXML",
    recovers: domainKeys,
    args: struct({ dom: domain, xml: text, flags: uint }),
    flags: { known: CREATE_FLAGS, refusedBy: "qemuSnapshotCreateXML" },
    result: aSnapshot,
    async run(call) {
      const { dom, flags, xml } = call.args;
      const has = (bit: number): boolean => (flags & bit) !== 0;
      const redefine = [CREATE.redefine, "VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE"] as const;
      onlyOneOf(flags, redefine, [CREATE.halts, "VIR_DOMAIN_SNAPSHOT_CREATE_HALT"]);
      onlyOneOf(flags, redefine, [CREATE.noMetadata, "VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA"]);
      onlyOneOf(flags, redefine, [CREATE.quiesces, "VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE"]);
      const [key, bytes, isDiskOnly] = [keyOf(call), new TextEncoder().encode(xml), has(CREATE.diskOnly)];
      if (has(CREATE.redefine)) {
        const redefined = { bytes, flags: { isDiskOnly, isCurrent: has(CREATE.current) } };
        return one(call, dom, await redefineSnapshot(call.instance, key, redefined));
      }
      const snapshot = snapshotFromXml(call.instance, bytes, {
        isDiskOnly,
        isKept: !has(CREATE.noMetadata),
        reuses: has(CREATE.reuses),
        quiesces: has(CREATE.quiesces),
        halts: has(CREATE.halts),
      });
      return one(call, dom, await createSnapshot(call.instance, key, { snapshot }));
    },
  }),
  procedure({
    ...aboutSnapshot(186, "virDomainSnapshotGetXMLDesc"),
    flags: { known: SECURE, refusedBy: "qemuDomainSnapshotGetXMLDesc" },
    alsoUses: ({ flags }) =>
      (flags & SECURE) === 0 ? undefined : "virDomainSnapshotGetXMLDesc with secure flag",
    result: aText,
    run: (call) => ({ value: found(call).snapshot.xml }),
  }),
  procedure({
    ...ofOne(189, "virDomainSnapshotLookupByName"),
    args: struct({ dom: domain, name: text, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainSnapshotLookupByName" },
    result: aSnapshot,
    run(call) {
      const { snapshot } = findSnapshot(call.instance, keyOf(call), call.args.name);
      return one(call, call.args.dom, snapshot);
    },
  }),
  procedure({
    ...ofOne(190, "virDomainHasCurrentSnapshot"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainHasCurrentSnapshot" },
    result: aResult,
    run: (call) => isTrue(findSnapshots(call.instance, keyOf(call)).tree.current !== undefined),
  }),
  procedure({
    ...ofOne(191, "virDomainSnapshotCurrent"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainSnapshotCurrent" },
    result: aSnapshot,
    run(call) {
      const { snapshot } = findCurrentSnapshot(call.instance, keyOf(call));
      return one(call, call.args.dom, snapshot);
    },
  }),
  procedure({
    ...aboutSnapshot(244, "virDomainSnapshotGetParent"),
    flags: { known: 0, refusedBy: "qemuDomainSnapshotGetParent" },
    result: aSnapshot,
    run(call) {
      const { dom, name } = call.args.snap;
      return one(call, dom, findParentSnapshot(call.instance, ownerOf(call), name));
    },
  }),
  procedure({
    ...aboutSnapshot(271, "virDomainSnapshotIsCurrent"),
    flags: { known: 0, refusedBy: "qemuDomainSnapshotIsCurrent" },
    result: aResult,
    run(call) {
      const { snapshot, tree } = found(call);
      return isTrue(tree.current === snapshot.name);
    },
  }),
  procedure({
    ...aboutSnapshot(272, "virDomainSnapshotHasMetadata"),
    flags: { known: 0, refusedBy: "qemuDomainSnapshotHasMetadata" },
    result: aResult,
    run(call) {
      found(call);
      return isTrue(true);
    },
  }),
  procedure({
    ...aboutSnapshot(192, "virDomainRevertToSnapshot"),
    flags: { known: REVERT.running | REVERT.force, refusedBy: "qemuSnapshotRevert" },
    result: nothing,
    async run(call) {
      const { flags, snap } = call.args;
      const { instance, session } = call;
      await revertDomain(instance, ownerOf(call), {
        name: snap.name,
        isForced: (flags & REVERT.force) !== 0,
        runs: (flags & REVERT.running) !== 0,
        onLeft: (path) => session.warn(`The image ${path} stays: the domain no longer has it`),
      });
      return {};
    },
  }),
  procedure({
    ...aboutSnapshot(193, "virDomainSnapshotDelete"),
    flags: { known: DELETE_FLAGS, refusedBy: "qemuSnapshotDelete" },
    result: nothing,
    async run(call) {
      const { flags, snap } = call.args;
      const below = onlyOneOf(
        flags,
        [DELETE.children, "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN"],
        [DELETE.childrenOnly, "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY"],
      );
      const left = await deleteSnapshot(call.instance, ownerOf(call), {
        name: snap.name,
        which: WHICH[below ?? "neither"],
        isMetadataOnly: (flags & DELETE.metadataOnly) !== 0,
      });
      for (const notice of left) call.session.warn(notice);
      return {};
    },
  }),
];

/** Returns the common facts of procedures about a domain's snapshots. */
function ofOne<const Api extends ApiUse>(number: number, api: Api) {
  return { number, api, recovers: domainKeys } as const;
}

/** Returns the facts that procedures about one snapshot share. */
function aboutSnapshot<const Api extends ApiUse>(number: number, api: Api) {
  return { number, api, recovers: snapshotKeys, args: ofSnapshot } as const;
}

function found(call: Parameters<typeof ownerOf>[0]): ReturnType<typeof findSnapshot> {
  return findSnapshot(call.instance, ownerOf(call), call.args.snap.name);
}

/** Returns a snapshot as the result of a procedure. */
function one(
  call: Parameters<typeof remoteSnapshots>[0],
  owner: RemoteSnapshot["dom"],
  { name }: { readonly name: string },
): { readonly snap: RemoteSnapshot } {
  const [snap = { name, dom: owner }] = remoteSnapshots(call, owner, [{ name }]);
  return { snap };
}

function isTrue(value: boolean): { readonly value: number } {
  return { value: value ? 1 : 0 };
}
