import { SvirtError } from "../../errors.ts";
import type { Display } from "../../plan/facts/display.ts";
import { bracketed, FIRST_VNC_PORT } from "../../plan/facts/display-address.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { domainOf } from "./guest-statistics.ts";

/** Address of a running guest's VNC screen: a socket, or an address and a port. */
export type Screen = { readonly socket: string } | Display;

/** Returns a running guest's screen. Throws "wrong-state" if it has none. */
export function getScreen(instance: Instance, guest: GuestRecord): Screen {
  const vnc = domainOf(guest).devices.graphics.find((found) => found.type === "vnc");
  const [listen] = vnc?.listens ?? [];
  if (listen?.type === "socket")
    return { socket: `${guestPaths(instance.paths, guest.uuid).workFolder}/vnc.sock` };
  // A start has recorded both.
  if (listen?.type === "address" && listen.address !== undefined && vnc?.port !== undefined)
    return { address: listen.address, port: vnc.port };
  throw new SvirtError(`domain '${guest.name}' has no VNC display`, {
    kind: "wrong-state",
    remedy: "Give it one: <graphics type='vnc'><listen type='socket'/></graphics>",
  });
}

/** Formats the screen as `virsh vncdisplay` does: `127.0.0.1:0`, or `:0` for every address. */
export function formatVncDisplay(screen: Screen): string {
  if ("socket" in screen) return screen.socket;
  const shown = screen.address === "0.0.0.0" ? "" : bracketed(screen.address);
  return `${shown}:${screen.port - FIRST_VNC_PORT}`;
}

/** Formats the screen as `virsh domdisplay` does: an address for a viewer on the host itself. */
export function formatDisplayUri(screen: Screen): string {
  if ("socket" in screen) return `vnc+unix://${screen.socket}`;
  const isAny = screen.address === "0.0.0.0" || screen.address === "::";
  return `vnc://${isAny ? "localhost" : bracketed(screen.address)}:${screen.port - FIRST_VNC_PORT}`;
}
