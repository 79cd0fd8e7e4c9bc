import { SvirtError, throwErrors } from "../../errors.ts";
import type { Domain } from "../domain.ts";
import { vncSockets } from "../resources/resources.ts";

// Rule: A VNC socket outside the guest's folder is refused.

/**
 * Refuses a VNC socket outside the guest's own folder. A confined QEMU could not create it and would report
 * only "Permission denied". Throws "unsupported".
 */
export function refuseListeners(domain: Domain): void {
  const { graphics } = domain.devices;
  const refusals = graphics.flatMap((found, index) =>
    vncSockets(found).map((path) => {
      const place = `/domain/devices/graphics[${index + 1}]`;
      return new SvirtError(`Cannot start the guest: the socket ${path} is outside the guest's folder`, {
        kind: "unsupported",
        remedy: "Leave the socket's path out: svirt then creates it in the guest's run-time folder.",
        place,
      });
    }),
  );
  throwErrors(refusals);
}
