import type { Domain } from "../domain/domain.ts";
import type { Instance } from "../state/instance.ts";
import { type ResolvedFiles, resolveFiles } from "./files/all.ts";
import type { ResolveOptions } from "./resolved-file.ts";
import { makeOverlays, type Overlays, replaceByOverlays } from "./transient-disks.ts";

/** Domain as QEMU gets it, with its files. */
export interface ResolvedDomain {
  readonly used: Domain;
  readonly overlays: Overlays;
  readonly resolved: ResolvedFiles;
}

/**
 * Inspects all files of the domain. With `makeMissing`, creates svirt's missing files for guests. Throws the
 * errors of its functions.
 */
export function resolveDomain(
  instance: Instance,
  domain: Domain,
  options: Omit<ResolveOptions, "overlays">,
): ResolvedDomain {
  const { domain: used, overlays } = replaceByOverlays(instance, domain);
  if (options.makeMissing) makeOverlays(instance, domain.uuid, overlays);
  return { used, overlays, resolved: resolveFiles(instance, used, { ...options, overlays }) };
}
