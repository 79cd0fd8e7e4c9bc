import { SvirtError } from "../../errors.ts";
import { POOL_TYPES, type PoolType } from "../../storage/pool/pool-types.ts";

/**
 * Parses a list of types, separated by commas; undefined without a type. Throws "usage" with virsh's message.
 */
export function parsePoolTypes(text: string | undefined): ReadonlySet<PoolType> | undefined {
  if (text === undefined) return undefined;
  return new Set(
    text.split(",").map((word) => {
      const type = POOL_TYPES.find((known) => known === word);
      if (type !== undefined) return type;
      throw new SvirtError(`Invalid pool type '${word}'`, {
        kind: "usage",
        remedy: `Give one or more of: ${POOL_TYPES.join(", ")}.`,
      });
    }),
  );
}
