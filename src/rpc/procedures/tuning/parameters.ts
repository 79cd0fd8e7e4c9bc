import { SvirtError } from "../../../errors.ts";
import { array } from "../../xdr/form.ts";
import { type TypedParameter, type TypedValue, typedParameter } from "../../xdr/typed-parameter.ts";

/**
 * REMOTE_DOMAIN_SCHEDULER_PARAMETERS_MAX of libvirt's remote_protocol.x, and its like for memory, disks,
 * interfaces and NUMA.
 */
const MOST = 16;

/** Parameters of a call. */
export const parameters = array(typedParameter, MOST);

/**
 * Returns how many parameters a client has room for; 0: it asks for their number. Throws as libvirtd does.
 */
export function roomFor(count: number, most = MOST): number {
  if (count >= 0 && count <= most) return count;
  throw new SvirtError(`internal error: nparams ${count < 0 ? "must be non-negative" : "too large"}`, {
    kind: "usage",
    libvirt: "INTERNAL_ERROR",
    remedy: `Ask for at most ${most} parameters.`,
  });
}

/**
 * Values of parameters by their names. Numbers above 2^53 - 1 are that: libvirt's
 * VIR_DOMAIN_MEMORY_PARAM_UNLIMITED.
 */
export type Given = ReadonlyMap<string, number | string>;

/**
 * Returns the values of the parameters. Throws "usage", "unsupported" in libvirt's words.
 * virTypedParamsValidate() of libvirt
 */
export function valuesOf(
  given: readonly TypedParameter[],
  types: ReadonlyMap<string, TypedValue["type"]>,
): Given {
  const values = new Map<string, number | string>();
  for (const { field, value: typed } of given) {
    const expected = types.get(field);
    if (expected === undefined)
      throw new SvirtError(`argument unsupported: parameter '${field}' not supported`, {
        kind: "unsupported",
        libvirt: "ARGUMENT_UNSUPPORTED",
        from: "NONE",
        remedy: `Set ${[...types.keys()].join(", ")}.`,
      });
    if (typed.type !== expected)
      throw refused(`invalid type '${typed.type}' for parameter '${field}', expected '${expected}'`);
    if (values.has(field)) throw refused(`parameter '${field}' occurs multiple times`);
    values.set(field, typeof typed.value === "string" ? typed.value : numberOf(typed));
  }
  return values;
}

function numberOf({ value }: TypedValue): number {
  const { MAX_SAFE_INTEGER: most } = Number;
  return Math.max(-most, Math.min(most, Number(value)));
}

function refused(why: string): SvirtError {
  return new SvirtError(`invalid argument: ${why}`, {
    kind: "usage",
    from: "NONE",
    remedy: "Set each parameter once, with libvirt's type.",
  });
}
