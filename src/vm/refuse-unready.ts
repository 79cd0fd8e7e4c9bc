import type { Domain } from "../domain/domain.ts";
import { SvirtError } from "../errors.ts";
import { UNREADY_BACKENDS } from "./unready/backends.ts";
import { UNREADY_DISKS } from "./unready/disks.ts";
import { UNREADY_PASSTHROUGH } from "./unready/passthrough.ts";
import { UNREADY_PATHS } from "./unready/paths.ts";
import { UNREADY_SOCKETS } from "./unready/sockets.ts";
import { UNREADY_TUNING } from "./unready/tuning.ts";
import type { UnreadyRule } from "./unready/unready.ts";

/** Every kind of thing that the XML can ask of the host and a start does not do yet. */
export const UNREADY: readonly UnreadyRule[] = [
  ...UNREADY_SOCKETS,
  ...UNREADY_DISKS,
  ...UNREADY_TUNING,
  ...UNREADY_PATHS,
  ...UNREADY_BACKENDS,
  ...UNREADY_PASSTHROUGH,
];

/**
 * Refuses a start that would leave out a part of what the XML asks of the host, before anything is changed. What only
 * translates, `svirt domxml-to-native`, does not come here. Throws "unsupported", with the element's path.
 */
export function refuseUnready(domain: Domain, attempt = "start the guest"): void {
  for (const rule of UNREADY) {
    for (const found of rule.findIn(domain)) {
      const { missing, place, remedy, why } = { ...rule, ...found };
      const end = why === undefined ? " yet" : `: ${why}`;
      throw new SvirtError(`Cannot ${attempt}: ${place}: svirt does not ${missing}${end}`, {
        kind: "unsupported",
        remedy,
      });
    }
  }
}
