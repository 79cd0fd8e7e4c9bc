import type { ApiUse } from "../../access/uses.ts";
import { uuidOf } from "../../domain/forms/uuid.ts";
import type { SecretUsage } from "../../secret/document.ts";
import type { Instance } from "../../state/instance.ts";
import { type FoundDomain, lookUpKnownDomain } from "../../vm/guest/find-domain.ts";
import { int, opaque, optional, string, struct, uint, type ValueOf } from "../xdr/form.ts";

/** REMOTE_STRING_MAX of libvirt's remote_protocol.x */
export const STRING_MAX = 4_194_304;
/**
 * REMOTE_DOMAIN_LIST_MAX, REMOTE_STORAGE_POOL_LIST_MAX and REMOTE_NETWORK_LIST_MAX of libvirt's
 * remote_protocol.x
 */
export const LIST_MAX = 16_384;
/** VIR_UUID_BUFLEN of libvirt */
const UUID_BYTES = 16;
/** Id of an inactive domain. */
const NO_ID = -1;

/** Any text of the protocol. remote_nonnull_string */
export const text = string(STRING_MAX);
/** An optional text. remote_string */
export const maybeText = optional(text);
export const uuid = opaque(UUID_BYTES);

/** A domain. remote_nonnull_domain */
export const domain = struct({ name: text, uuid, id: int });
export type RemoteDomain = ValueOf<typeof domain>;
/** A network or a storage pool. remote_nonnull_network, remote_nonnull_storage_pool */
export const stored = struct({ name: text, uuid });
type RemoteStored = ValueOf<typeof stored>;

/** No arguments, or no result. */
export const nothing = struct({});
/** Arguments of procedures about a domain. */
export const ofDomain = struct({ dom: domain });
/** Arguments of procedures about a domain, with flags. */
export const ofDomainWithFlags = struct({ dom: domain, flags: uint });
/** Result of procedures returning a domain. */
export const aDomain = struct({ dom: domain });
/** Result of procedures returning a number. */
export const aNumber = struct({ value: int });
/** Result of procedures returning a text. */
export const aText = struct({ value: text });

/** Returns the client's domain. Throws as lookUpKnownDomain(). */
export function foundBy(instance: Instance, { name, uuid: bytes }: RemoteDomain): FoundDomain {
  return lookUpKnownDomain(instance, { name, uuid: uuidText(bytes) });
}

/** Returns the UUID of a call's domain, for use cases. Throws as foundBy() does. */
export function keyOf(call: {
  readonly instance: Instance;
  readonly args: { readonly dom: RemoteDomain };
}): string {
  return foundBy(call.instance, call.args.dom).uuid;
}

/** Returns a domain as the protocol has it. */
export function remoteDomain(found: {
  readonly name: string;
  readonly uuid: string;
  readonly id?: number | undefined;
  readonly guest?: { readonly id: number } | undefined;
}): RemoteDomain {
  return { name: found.name, uuid: uuidBytes(found.uuid), id: found.id ?? found.guest?.id ?? NO_ID };
}

/** Returns a network or a pool as the protocol has it. */
export function remoteStored({
  name,
  uuid: value,
}: {
  readonly name: string;
  readonly uuid: string;
}): RemoteStored {
  return { name, uuid: uuidBytes(value) };
}

/** Returns the keys for the recovery before a procedure about a domain. */
export function domainKeys({ dom }: { readonly dom: RemoteDomain }): readonly string[] {
  return [uuidText(dom.uuid)];
}

/** Returns the facts of a procedure about one domain. */
export function aboutDomain<const Api extends ApiUse>(number: number, api: Api) {
  return { number, api, recovers: domainKeys } as const;
}

/** Returns a UUID's text. */
export function uuidText(bytes: Uint8Array): string {
  return uuidOf(bytes.toHex()) ?? "";
}

/** Returns a set as a map of bits, the lowest first, cut off at a length. virBitmapToDataBuf() of libvirt */
export function bitsOf(ids: readonly number[], length: number): Uint8Array {
  const map = new Uint8Array(length);
  for (const id of ids) {
    const at = id >> 3;
    if (at < length) map[at] = (map[at] ?? 0) | (1 << (id & 7));
  }
  return map;
}

/** Returns the set of a map of bits, as bitsOf() makes it. virBitmapNewData() of libvirt */
export function idsOf(map: Uint8Array): readonly number[] {
  return [...map].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0).map((bit) => at * 8 + bit),
  );
}

/** Returns the bytes of a UUID's text. */
export function uuidBytes(value: string): Uint8Array {
  return Uint8Array.fromHex(value.replaceAll("-", ""));
}

/** Types of use in the order of virSecretUsageType, whose numbers begin with 1; 0 is none. */
export const USAGES = ["volume", "ceph", "iscsi", "tls", "vtpm"] as const satisfies SecretUsage["type"][];

/** A secret. remote_nonnull_secret */
export const secret = struct({ uuid, usageType: int, usageId: text });

/** Returns a secret as clients get it. */
export function remoteSecret({
  usage,
  uuid: id,
}: {
  readonly usage?: SecretUsage | undefined;
  readonly uuid: string;
}): ValueOf<typeof secret> {
  const usageType = usage === undefined ? 0 : USAGES.indexOf(usage.type) + 1;
  return { uuid: uuidBytes(id), usageType, usageId: usage?.id ?? "" };
}
