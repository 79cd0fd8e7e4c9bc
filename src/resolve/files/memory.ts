import type { Resource } from "../../domain/resources/resource.ts";
import type { Host } from "../../host/host.ts";
import { refuseInstalled } from "../../label/protected-paths.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import { factsOfPlanned, inspect, missing, wrongType } from "../inspect-file.ts";
import { placeOfMade } from "../places/writable-places.ts";
import type { ResolvedFile, ResolveOptions } from "../resolved-file.ts";

type MemoryFile = Extract<Resource, { readonly kind: "memory-file" }>;

/**
 * Inspects a file that is part of the guest's memory. No other guest uses it, unless it is shareable. Throws
 * "not-found", "unsupported", "denied".
 */
export function resolveMemoryFile(
  host: Host,
  { path, shareable, sizeKiB }: MemoryFile,
  options: ResolveOptions,
): ResolvedFile {
  // QEMU extends an empty file to the size of its argument.
  if (sizeKiB !== undefined && options.makeMissing && inspect(host, path) === undefined) {
    host.makeFile(placeOfMade(host, path), 0o600);
  }
  const facts = inspect(host, path) ?? (sizeKiB === undefined ? undefined : factsOfPlanned(path));
  if (facts === undefined) throw missing(path);
  if (facts.type !== "file" && facts.type !== "block") throw wrongType(path, facts.type);
  refuseInstalled(facts.id.path);
  return {
    named: path,
    facts,
    role: LABEL_ROLES["memory-file"][shareable === true ? "shareable" : "private"].role,
    override: undefined,
  };
}
