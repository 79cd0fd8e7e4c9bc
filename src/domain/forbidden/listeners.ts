import { SvirtError } from "../../errors.ts";
import type { Domain } from "../domain.ts";
import { listResources } from "../resources/resources.ts";

/**
 * Refuses what a confined guest could not do anyway, before QEMU says no more than "Permission denied": to make a socket
 * outside its own folder. Throws "unsupported".
 */
export function refuseListeners(domain: Domain): void {
  for (const resource of listResources(domain)) {
    if (resource.kind !== "vnc-socket") continue;
    throw new SvirtError(`Cannot start the guest: the socket ${resource.path} lies outside its own folder`, {
      kind: "unsupported",
      remedy: "Leave the socket's path out: it is then made in the guest's own run-time folder.",
    });
  }
}
