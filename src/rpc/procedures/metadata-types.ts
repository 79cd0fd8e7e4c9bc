import type { ApiUse } from "../../access/uses.ts";
import type { LibvirtDomain } from "../../virterror.ts";
import { invalidArgument } from "./procedure.ts";

/**
 * virDomainMetadataType of libvirt's libvirt-domain.h, and virNetworkMetadataType of its libvirt-network.h.
 */
const TYPES = ["description", "title", "element"] as const;

/** Returns the numbered kind of metadata. Throws "usage". */
export function metadataTypeOf(number: number, from: LibvirtDomain): (typeof TYPES)[number] {
  const type = TYPES[number];
  if (type !== undefined) return type;
  throw invalidArgument(`unknown metadata type '${number}'`, "Use 0, 1 or 2.", from);
}

/** An argument of a function of libvirt's API, which must be there or must not. */
interface Argument {
  readonly api: ApiUse;
  readonly name: string;
  readonly value: string | undefined;
  readonly isWanted: boolean;
  readonly from: LibvirtDomain;
}

/**
 * Returns an argument; empty if it must not be there. Throws "usage". virCheckNonNullArgGoto() and
 * virCheckNullArgGoto() of libvirt
 */
export function checkedArgument({ api, from, isWanted, name, value }: Argument): string {
  if ((value !== undefined) === isWanted) return value ?? "";
  const must = isWanted ? "must not be NULL" : "must be NULL";
  throw invalidArgument(`${name} in ${api} ${must}`, "Only an element has a namespace and a prefix.", from);
}
