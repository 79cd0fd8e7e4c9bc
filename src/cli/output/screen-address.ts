import { bracketed, FIRST_VNC_PORT } from "../../plan/facts/display-address.ts";
import type { Screen } from "../../vm/query/guest-screen.ts";

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
