import { SvirtError, throwErrors } from "../../errors.ts";
import type { Domain } from "../domain.ts";
import { vncSockets } from "../resources/resources.ts";

/**
 * Refuses a VNC socket outside the guest's own folder. A confined QEMU could not create it and would report only "Permission
 * denied". Throws "unsupported".
 */
export function refuseListeners(domain: Domain): void {
  const { graphics } = domain.devices;
  const refusals = graphics.flatMap((found, index) =>
    vncSockets(found).map((path) => {
      const place = `/domain/devices/graphics[${index + 1}]`;
      return new SvirtError(`Cannot start the guest: the socket ${path} lies outside its own folder`, {
        kind: "unsupported",
        remedy: "Leave the socket's path out: it is then made in the guest's own run-time folder.",
        place,
      });
    }),
  );
  throwErrors(refusals);
}
