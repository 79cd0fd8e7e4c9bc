import { SvirtError, throwErrors } from "../../errors.ts";
import type { Domain } from "../domain.ts";

// Rule: A definition with the password of a display is refused.

/**
 * Refuses a definition with a display's password: it would be stored in a file and shown in the guest's XML.
 * Only `svirt validate` and `svirt domxml-to-native` accept such a domain. Throws "unsupported".
 */
export function refusePasswords({ devices }: Pick<Domain, "devices">): void {
  const refusals = devices.graphics.flatMap((found, index) => {
    if (!("passwd" in found) || found.passwd === undefined) return [];
    const place = `/domain/devices/graphics[${index + 1}]/@passwd`;
    return [
      new SvirtError(`Cannot read ${place}: svirt stores no passwords in a definition`, {
        kind: "unsupported",
        remedy: "Leave passwd out, and use <listen type='socket'/> and SSH.",
        place,
      }),
    ];
  });
  throwErrors(refusals);
}
