import { SvirtError } from "../../errors.ts";
import type { Display } from "../../plan/facts/display.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { findRunning } from "../guest/find-domain.ts";
import { domainOf } from "./guest-statistics.ts";

/** Address of a running guest's VNC screen: a socket, or an address and a port. */
export type Screen = { readonly socket: string } | Display;

/** Returns a running guest's screen of this type. Throws "not-found"; "wrong-state" if it has none. */
export function getScreen(instance: Instance, key: string, type = "vnc"): Screen {
  const { guest } = findRunning(instance, key);
  if (type !== "vnc") {
    throw new SvirtError(`domain '${guest.name}' has no ${type} display`, {
      kind: "wrong-state",
      remedy: "Write --type vnc: svirt supports no other display.",
    });
  }
  const screen = screenOf(instance, guest);
  if (screen !== undefined) return screen;
  throw new SvirtError(`domain '${guest.name}' has no VNC display`, {
    kind: "wrong-state",
    remedy: "Add a display: <graphics type='vnc'><listen type='socket'/></graphics>",
  });
}

/** Returns a running guest's VNC screen; undefined if it has none. */
export function screenOf(
  { paths }: Pick<Instance, "paths">,
  guest: Pick<GuestRecord, "uuid" | "xml">,
): Screen | undefined {
  const vnc = domainOf(guest).devices.graphics.find((found) => found.type === "vnc");
  const [listen] = vnc?.listens ?? [];
  if (listen?.type === "socket") return { socket: `${guestPaths(paths, guest.uuid).workFolder}/vnc.sock` };
  // A start has recorded both.
  if (listen?.type !== "address" || listen.address === undefined || vnc?.port === undefined) return undefined;
  return { address: listen.address, port: vnc.port };
}
