import type { StoredSnapshot } from "../../../state/snapshots/snapshots.ts";
import { struct, uint, type ValueOf } from "../../xdr/form.ts";
import { domain, domainKeys, foundBy, type RemoteDomain, remoteDomain, text } from "../objects.ts";
import type { RemoteCall } from "../procedure.ts";

/** A snapshot. remote_nonnull_domain_snapshot */
export const snapshot = struct({ name: text, dom: domain });
export type RemoteSnapshot = ValueOf<typeof snapshot>;

/** Arguments of procedures about a snapshot. */
export const ofSnapshot = struct({ snap: snapshot, flags: uint });
/** Result of procedures returning a snapshot. */
export const aSnapshot = struct({ snap: snapshot });

/** Returns the keys for the recovery before a procedure about a snapshot. */
export function snapshotKeys({ snap }: { readonly snap: RemoteSnapshot }): readonly string[] {
  return domainKeys(snap);
}

/** Returns the UUID of the domain of the snapshot that a call is about. Throws as foundBy() does. */
export function ownerOf({
  args,
  instance,
}: Pick<RemoteCall<{ readonly snap: RemoteSnapshot }>, "args" | "instance">): string {
  return foundBy(instance, args.snap.dom).uuid;
}

/** Returns snapshots of a domain as the protocol has them. */
export function remoteSnapshots(
  { instance }: Pick<RemoteCall<unknown>, "instance">,
  owner: RemoteDomain,
  snapshots: readonly Pick<StoredSnapshot, "name">[],
): readonly RemoteSnapshot[] {
  const dom = remoteDomain(foundBy(instance, owner));
  return snapshots.map(({ name }) => ({ name, dom }));
}
