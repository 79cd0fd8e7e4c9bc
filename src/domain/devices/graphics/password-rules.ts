import type { XmlNode } from "../../../xml/node.ts";
import { notUnderstood } from "../../../xml/refusal.ts";
import type { Graphics } from "./graphics.ts";

// Rule: A VNC password has at most 8 characters.

/**
 * Refuses attributes of a missing password, which libvirt ignores, and values that VNC does not support.
 * virDomainGraphicsAuthDefParseXML() of libvirt
 */
export function refuseLogin(
  {
    connected,
    passwd,
    passwdValidTo,
    type,
  }: Exclude<Graphics, { readonly type: "sdl" | "egl-headless" | "dbus" }>,
  node: XmlNode,
): void {
  if (passwd === undefined && (connected !== undefined || passwdValidTo !== undefined)) {
    const place = connected === undefined ? "@passwdValidTo" : "@connected";
    throw notUnderstood({ node, place }, "it requires a password", "Leave it out.");
  }
  if (type === "vnc" && (passwd?.length ?? 0) > 8) {
    throw notUnderstood({ node, place: "@passwd" }, "a VNC password has at most 8 characters", "Shorten it.");
  }
  if (type === "vnc" && (connected ?? "keep") !== "keep") {
    throw notUnderstood(
      { node, place: "@connected" },
      "VNC supports connected='keep' only",
      "Write connected='keep'.",
    );
  }
}
