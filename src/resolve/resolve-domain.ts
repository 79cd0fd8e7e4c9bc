import type { Domain } from "../domain/domain.ts";
import type { Node } from "../state/instance.ts";
import { type GatheredFiles, gatherFiles } from "./files/all.ts";
import type { GatherOptions } from "./resolved-file.ts";
import { makeOverlays, type Overlays, withOverlays } from "./transient-disks.ts";

/** Domain as QEMU gets it, with its files. */
export interface SeenFiles {
  readonly used: Domain;
  readonly overlays: Overlays;
  readonly gathered: GatheredFiles;
}

/**
 * Inspects all files that the domain names. With `makeMissing`, creates the missing files that svirt creates for guests.
 * Throws the errors of the functions that it calls.
 */
export function seeFiles(node: Node, domain: Domain, options: Omit<GatherOptions, "overlays">): SeenFiles {
  const { domain: used, overlays } = withOverlays(node, domain);
  if (options.makeMissing) makeOverlays(node, domain.uuid, overlays);
  return { used, overlays, gathered: gatherFiles(node.host, used, { ...options, overlays }) };
}
