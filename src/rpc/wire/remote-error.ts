import type { SvirtError } from "../../errors.ts";
import { type LibvirtDomain, libvirtErrorIn } from "../../virterror.ts";
import { domain, maybeText, stored } from "../procedures/objects.ts";
import { int, optional, struct } from "../xdr/form.ts";

/** virErrorLevel: an error, not a warning. */
const LEVEL_ERROR = 2;
/** Longest message. A packet has room for more, shown by no client. */
const MOST_LETTERS = 65_536;

/** Error in a reply. virNetMessageError of libvirt's virnetprotocol.x */
export const remoteError = struct({
  code: int,
  domain: int,
  message: maybeText,
  level: int,
  dom: optional(domain),
  str1: maybeText,
  str2: maybeText,
  str3: maybeText,
  int1: int,
  int2: int,
  net: optional(stored),
});

/** Returns the payload of a reply that reports an error of a call to a part of libvirt; undefined: of any. */
export function formatError(error: SvirtError, part?: LibvirtDomain): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  const { code, domain: from } = libvirtErrorIn(part, error);
  const shown = error.message.replaceAll("\0", "").slice(0, MOST_LETTERS);
  const facts = { code, domain: from, message: shown, level: LEVEL_ERROR };
  remoteError.encode({ ...facts, ...NO_MORE }, parts);
  return parts;
}

const NO_MORE = {
  dom: undefined,
  str1: undefined,
  str2: undefined,
  str3: undefined,
  int1: 0,
  int2: 0,
  net: undefined,
};
