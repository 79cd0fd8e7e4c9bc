import type { Domain } from "../domain/domain.ts";
import { SvirtError } from "../errors.ts";
import { listUnreadyBackends } from "./unready/backends.ts";
import { listUnreadyDisks } from "./unready/disks.ts";
import { listUnreadyMemory } from "./unready/memory.ts";
import { listUnreadyPassthrough } from "./unready/passthrough.ts";
import { listUnreadyPaths } from "./unready/paths.ts";
import { listUnreadyTuning } from "./unready/tuning.ts";
import type { Unready } from "./unready/unready.ts";

/** What each family of elements asks of the host that a start does not do yet. */
const FAMILIES: readonly ((domain: Domain) => readonly Unready[])[] = [
  listUnreadyDisks,
  listUnreadyMemory,
  listUnreadyTuning,
  listUnreadyPaths,
  listUnreadyBackends,
  listUnreadyPassthrough,
];

/**
 * Refuses a start that would leave out a part of what the XML asks of the host, before anything is changed. What only
 * translates, `svirt domxml-to-native`, does not come here. Throws "unsupported", with the element's path.
 */
export function refuseUnready(domain: Domain, attempt = "start the guest"): void {
  for (const family of FAMILIES) {
    for (const { missing, place, remedy } of family(domain)) {
      throw new SvirtError(`Cannot ${attempt}: ${place}: svirt does not ${missing} yet`, {
        kind: "unsupported",
        remedy,
      });
    }
  }
}
