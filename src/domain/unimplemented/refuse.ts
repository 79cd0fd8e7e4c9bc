import { SvirtError } from "../../errors.ts";
import type { Domain } from "../domain.ts";
import { UNREADY_BACKENDS } from "./backends.ts";
import { UNREADY_DISKS } from "./disks.ts";
import { UNREADY_PASSTHROUGH } from "./passthrough.ts";
import { UNREADY_PATHS } from "./paths.ts";
import type { UnreadyRule } from "./rule.ts";
import { UNREADY_SOCKETS } from "./sockets.ts";
import { UNREADY_TUNING } from "./tuning.ts";

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
