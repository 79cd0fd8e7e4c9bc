import type { Entry } from "../../../vm/query/statistics/subject.ts";
import type { TypedParameter, TypedValue } from "../../xdr/typed-parameter.ts";

type NumberType = "int" | "uint" | "llong";

/**
 * Types of numbers by their keys. All others are unsigned numbers of 64 bits. Documentation of
 * virConnectGetAllDomainStats() in libvirt's libvirt-domain.c, and the types that libvirt's binding for Go
 * reads
 */
const TYPES: readonly (readonly [key: RegExp, type: NumberType])[] = [
  [/^state\.(?:state|reason)$/, "int"],
  [/^vcpu\.\d+\.state$/, "int"],
  [/^vcpu\.(?:current|maximum)$/, "uint"],
  [/^(?:net|block|iothread)\.count$/, "uint"],
  [/^block\.\d+\.backingIndex$/, "uint"],
  [/^iothread\.\d+\.poll-(?:grow|shrink)$/, "uint"],
  [/^dirtyrate\.calc_(?:status|period)$/, "int"],
  [/^dirtyrate\.(?:calc_start_time|megabytes_per_second)$/, "llong"],
];
/** Counters of KVM. They alone may be yes or no. */
const COUNTER = /^(?:vcpu\.\d+|vm)\..*\.(?:sum|cur|max)$/;
const UINT_MAX = 2 ** 32 - 1;

/** Returns a statistic with libvirt's type. */
export function typedStatistic([field, value]: Entry): TypedParameter {
  if (typeof value === "number") return { field, value: typedNumber(field, value) };
  if (COUNTER.test(field)) return { field, value: { type: "boolean", value: value === "yes" } };
  return { field, value: { type: "string", value } };
}

function typedNumber(field: string, value: number): TypedValue {
  const type = TYPES.find(([key]) => key.test(field))?.[1];
  // libvirt sends a grow or shrink that is too large for its type as a longer number.
  if (type === undefined || (type === "uint" && value > UINT_MAX)) return ullong(value);
  return type === "llong" ? { type, value: BigInt(Math.round(value)) } : { type, value };
}

function ullong(value: number): TypedValue {
  return { type: "ullong", value: BigInt.asUintN(64, BigInt(Math.round(value))) };
}
