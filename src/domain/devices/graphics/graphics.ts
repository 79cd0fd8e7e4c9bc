import { choice } from "../../../xml/choice.ts";
import { checked, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, children, required } from "../../../xml/field.ts";
import type { XmlNode } from "../../../xml/node.ts";
import { notUnderstood } from "../../../xml/refusal.ts";
import { integer, matching, oneOf, yesNo } from "../../../xml/value-form.ts";
import { absolutePath, hostAddress, lineOfText, objectName, word } from "../../forms/text.ts";
import { audioReference } from "../audio.ts";
import { refuseLogin } from "./password-rules.ts";
import { gl, renderGl, spiceChildren, switchGl } from "./spice.ts";

const listen = choice("listen", {
  attribute: "type",
  of: () => ({
    address: { address: attribute("address", hostAddress) },
    socket: { socket: attribute("socket", absolutePath) },
    network: {
      network: required(attribute("network", objectName)),
      address: attribute("address", hostAddress),
    },
    none: {},
  }),
});

const onNetwork = {
  port: attribute("port", integer(-1, 65535)),
  autoport: attribute("autoport", yesNo),
  listenAddress: attribute("listen", hostAddress),
  keymap: attribute("keymap", word),
};

const moment = matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/, 'a moment, "2026-01-31T23:59:59"');

/**
 * Password of a display and its rules; svirt neither starts nor stores such a guest.
 * virDomainGraphicsAuthDefParseXML() of libvirt
 */
const login = {
  passwd: attribute("passwd", lineOfText),
  passwdValidTo: attribute("passwdValidTo", moment),
  connected: attribute("connected", oneOf("fail", "disconnect", "keep")),
};

/** Address in D-Bus' notation: `unix:path=/run/bus`. */
const busAddress = matching(/^[a-z]+:[^\p{Cc}]{1,4000}$/u, "an address of a message bus, unix:path=/run/bus");

const grammar = choice("graphics", {
  attribute: "type",
  of: () => ({
    vnc: {
      socket: attribute("socket", absolutePath),
      ...onNetwork,
      ...login,
      websocket: attribute("websocket", integer(-1, 65535)),
      sharePolicy: attribute("sharePolicy", oneOf("allow-exclusive", "force-shared", "ignore")),
      powerControl: attribute("powerControl", yesNo),
      listens: children(listen),
      audio: audioReference,
    },
    spice: {
      ...onNetwork,
      ...login,
      tlsPort: attribute("tlsPort", integer(-1, 65535)),
      defaultMode: attribute("defaultMode", oneOf("any", "secure", "insecure")),
      listens: children(listen),
      ...spiceChildren,
    },
    sdl: {
      display: attribute("display", lineOfText),
      xauth: attribute("xauth", absolutePath),
      fullscreen: attribute("fullscreen", yesNo),
      gl: child(switchGl),
    },
    "egl-headless": { gl: child(renderGl) },
    dbus: {
      address: attribute("address", busAddress),
      p2p: attribute("p2p", yesNo),
      gl: child(gl),
      audio: audioReference,
    },
  }),
  refused: { rdp: "it is for another hypervisor", desktop: "it is for another hypervisor" },
});
export type Graphics = ValueOf<typeof grammar>;

/** `<graphics>`, https://libvirt.org/formatdomain.html#graphical-framebuffers */
export const graphics = checked(grammar, refuseContradictions);

// virDomainGraphicsListensParseXML() and virDomainGraphicsDefValidate() of libvirt
function refuseContradictions(value: Graphics, node: XmlNode): void {
  if (value.type === "dbus" && value.p2p === true && value.address !== undefined) {
    const why = "a peer-to-peer display has no bus address";
    throw notUnderstood({ node, place: "@address" }, why, "Leave it out, or write p2p='no'.");
  }
  if (value.type !== "vnc" && value.type !== "spice") return;
  refuseLogin(value, node);
  const [first] = value.listens;
  const address = first?.type === "address" ? first.address : undefined;
  if (isOther(value.listenAddress, address)) {
    throw notUnderstood(
      { node, place: "@listen" },
      "the first <listen> has another address",
      "Leave listen out of <graphics>, or write that address there.",
    );
  }
  if (value.type !== "vnc" || value.socket === undefined || first === undefined) return;
  if (first.type === "socket" && !isOther(value.socket, first.socket)) return;
  throw notUnderstood(
    { node, place: "@socket" },
    "the first <listen> has another socket",
    "Leave socket out of <graphics>, or write <listen type='socket'> with that path.",
  );
}

function isOther(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}
