import { SvirtError } from "../errors.ts";
import { guestPaths } from "../plan/paths.ts";
import { domainOf } from "./guest-statistics.ts";
import type { Node } from "./node.ts";
import type { GuestRecord } from "./record.ts";

/** The socket of a running guest's screen. Throws "wrong-state" when it has none. */
export function getScreenSocket(node: Node, guest: GuestRecord): string {
  const vnc = domainOf(guest).devices.graphics.find(({ type }) => type === "vnc");
  if (vnc !== undefined) return `${guestPaths(node.paths, guest.uuid).workFolder}/vnc.sock`;
  throw new SvirtError(`domain '${guest.name}' has no VNC display`, {
    kind: "wrong-state",
    remedy: "Give it one: <graphics type='vnc'><listen type='socket'/></graphics>",
  });
}
