import { SvirtError } from "../../../errors.ts";
import { backendOf } from "../backends/table.ts";
import { POOL_TYPES } from "../pool-types.ts";

/**
 * Returns the refusal of a search for sources of pools of a type that svirt does not search for.
 * storageConnectFindStoragePoolSources() of libvirt; its other backends with findPoolSources have a command.
 */
export function discoveryRefusal(word: string): SvirtError {
  const type = POOL_TYPES.find((known) => known === word);
  if (type === undefined)
    return new SvirtError(`internal error: unknown storage pool type ${word}`, {
      kind: "usage",
      libvirt: "INTERNAL_ERROR",
      from: "STORAGE",
      remedy: `Give one of: ${POOL_TYPES.join(", ")}.`,
    });
  const { discovery } = backendOf(type);
  if (typeof discovery !== "string")
    return new SvirtError(
      `Cannot find sources of storage pools of type ${type}: svirt searches only for NFS exports and volume groups`,
      { kind: "unsupported", remedy: `Search for it yourself: ${discovery.command}` },
    );
  return new SvirtError(
    `this function is not supported by the connection driver: pool type '${type}' does not support source discovery`,
    {
      kind: "unsupported",
      libvirt: "NO_SUPPORT",
      remedy: "Write the source into <source> of the pool yourself.",
    },
  );
}
