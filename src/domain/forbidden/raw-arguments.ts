import { SvirtError } from "../../errors.ts";
import type { Domain } from "../domain.ts";

// Rule: Raw arguments of QEMU are refused.

const PLACE = "/domain/qemu:commandline";

/**
 * Refuses a definition with raw QEMU arguments: they could open an unlabelled file or disable the guest's
 * confinement. Only `svirt validate` and `svirt domxml-to-native` accept such a domain. Throws "unsupported".
 */
export function refuseRawArguments({ qemuCommandline }: Domain): void {
  if (qemuCommandline === undefined) return;
  const why =
    "it gives QEMU arguments that svirt does not understand: they could open a file without a label";
  throw new SvirtError(`Cannot read ${PLACE}: ${why}`, {
    kind: "unsupported",
    remedy: "Leave <qemu:commandline> out.",
    place: PLACE,
  });
}
