import { SvirtError } from "../../errors.ts";
import type { Domain } from "../domain.ts";

const PLACE = "/domain/qemu:commandline";

/**
 * Refuses a definition that gives QEMU words as they are: they could open a file that nobody labelled, or turn off what
 * confines the guest. Such a domain is looked at alone (`svirt validate`, `svirt domxml-to-native`). Throws
 * "unsupported".
 */
export function refuseRawWords({ qemuCommandline }: Domain): void {
  if (qemuCommandline === undefined) return;
  const why =
    "it gives QEMU words that svirt does not understand: they could open a file that nobody labelled";
  throw new SvirtError(`Cannot read ${PLACE}: ${why}`, {
    kind: "unsupported",
    remedy: "Leave <qemu:commandline> out.",
    place: PLACE,
  });
}
