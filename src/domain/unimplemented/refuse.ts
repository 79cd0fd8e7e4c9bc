import { SvirtError, throwErrors } from "../../errors.ts";
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
 * translates, `svirt domxml-to-native`, does not come here. Throws "unsupported", with the path of each element.
 */
export function refuseUnready(domain: Domain, attempt?: string): void {
  throwErrors(listUnready(domain, attempt === undefined ? {} : { attempt }));
}

interface Listing {
  /** What cannot be done, for the message. */
  readonly attempt?: string;
  /** The path in the document of a path in the domain. */
  locate?(place: string): string;
}

/** All refusals of a start that the domain alone gives reason for. */
export function listUnready(
  domain: Domain,
  { attempt = "start the guest", locate = (place) => place }: Listing = {},
): readonly SvirtError[] {
  return UNREADY.flatMap((rule) =>
    rule.findIn(domain).map((found) => {
      const { missing, place: within, remedy, why } = { ...rule, ...found };
      const place = locate(within);
      const end = why === undefined ? " yet" : `: ${why}`;
      const message = `Cannot ${attempt}: ${place}: svirt does not ${missing}${end}`;
      return new SvirtError(message, { kind: "unsupported", remedy, place });
    }),
  );
}
