import { SvirtError, throwErrors } from "../../errors.ts";
import type { Domain } from "../domain.ts";
import { UNIMPLEMENTED_DEVICES, UNIMPLEMENTED_SOCKETS } from "./devices.ts";
import { UNIMPLEMENTED_PATHS } from "./paths.ts";
import type { UnimplementedRule } from "./rule.ts";
import { UNIMPLEMENTED_TUNING } from "./tuning.ts";

// Rule: A start refuses everything that svirt does not implement.

/** All rules for features of the XML that a start does not implement yet. */
export const UNIMPLEMENTED_RULES: readonly UnimplementedRule[] = [
  ...UNIMPLEMENTED_SOCKETS,
  ...UNIMPLEMENTED_TUNING,
  ...UNIMPLEMENTED_PATHS,
  ...UNIMPLEMENTED_DEVICES,
];

/**
 * Refuses a start that would omit a part of the XML's requests to the host, before any change. Mere
 * translation, `svirt domxml-to-native`, does not call it. Throws "unsupported", with the path of each
 * element.
 */
export function refuseUnimplemented(domain: Domain, attempt?: string): void {
  throwErrors(listUnimplemented(domain, attempt === undefined ? {} : { attempt }));
}

interface Listing {
  /** Attempted operation, for the message. */
  readonly attempt?: string;
  /** Returns the path in the document for a path in the domain. */
  locate?(place: string): string;
}

/** Lists all refusals of a start for the domain alone. */
export function listUnimplemented(
  domain: Domain,
  { attempt = "start the guest", locate = (place) => place }: Listing = {},
): readonly SvirtError[] {
  return UNIMPLEMENTED_RULES.flatMap((rule) =>
    rule.findIn(domain).map((found) => {
      const { missing, place: within, remedy, why } = { ...rule, ...found };
      const place = locate(within);
      const end = why === undefined ? " yet" : `: ${why}`;
      const message = `Cannot ${attempt}: ${place}: svirt does not ${missing}${end}`;
      return new SvirtError(message, { kind: "unsupported", remedy, place });
    }),
  );
}
