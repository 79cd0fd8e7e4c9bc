import type { Domain } from "../domain/domain.ts";
import type { Graphics } from "../domain/graphics.ts";
import { listResources } from "../domain/resources.ts";
import { SvirtError } from "../errors.ts";

/**
 * Refuses what a confined guest could not do anyway, before QEMU says no more than "Permission denied": to listen on
 * TCP, to make a socket outside its own folder, to connect to a socket of the host's. Throws "unsupported".
 */
export function refuseListeners(domain: Domain): void {
  for (const [at, graphics] of (domain.devices?.graphics ?? []).entries()) {
    if (graphics.type !== "vnc" || !listensOnTcp(graphics)) continue;
    throw new SvirtError(
      `Cannot start the guest: /domain/devices/graphics[${at + 1}] listens on TCP, which the policy allows no guest`,
      {
        kind: "unsupported",
        remedy:
          "Write <listen type='socket'/> in it; the socket is then guest/vnc.sock in the guest's folder in /run/svirt.",
      },
    );
  }
  for (const resource of listResources(domain)) {
    if (resource.kind === "chardev-socket" && resource.mode === "connect") throw cannotConnect(resource.path);
    if (resource.kind !== "vnc-socket") continue;
    throw new SvirtError(`Cannot start the guest: the socket ${resource.path} lies outside its own folder`, {
      kind: "unsupported",
      remedy: "Leave the socket's path out: it is then made in the guest's folder in /run/svirt.",
    });
  }
}

function cannotConnect(path: string): SvirtError {
  return new SvirtError(`Cannot start the guest: the policy lets no guest connect to ${path}`, {
    kind: "unsupported",
    remedy: "Write mode='bind', and let the other program connect to the guest.",
  });
}

function listensOnTcp({ listens, socket }: Extract<Graphics, { readonly type: "vnc" }>): boolean {
  if (listens.length === 0) return socket === undefined;
  return listens.some((listen) => listen.type === "address" || listen.type === "network");
}
