import { SvirtError } from "../../errors.ts";
import type { Domain } from "../domain.ts";

/**
 * Refuses a definition with a password of a display: it would lie in a file, and whoever sees the guest's XML would have
 * it. Such a domain is looked at alone (`svirt validate`, `svirt domxml-to-native`). Throws "unsupported".
 */
export function refusePasswords({ devices }: Domain): void {
  const index = devices.graphics.findIndex((found) => "passwd" in found && found.passwd !== undefined);
  if (index === -1) return;
  throw new SvirtError(
    `Cannot read /domain/devices/graphics[${index + 1}]/@passwd: svirt keeps no passwords in a definition`,
    { kind: "unsupported", remedy: "Leave it out, and use a socket and SSH." },
  );
}
