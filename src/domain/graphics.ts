import { choice } from "../xml/choice.ts";
import { refused, type ValueOf } from "../xml/element.ts";
import { attribute, children } from "../xml/field.ts";
import { integer, matching, oneOf, yesNo } from "../xml/value-form.ts";
import { absolutePath } from "./words.ts";

const hostAddress = matching(/^[0-9A-Za-z.:_-]{1,255}$/, "an IP address or a host's name");

const listen = choice("listen", {
  attribute: "type",
  of: {
    address: { address: attribute("address", hostAddress) },
    socket: { socket: attribute("socket", absolutePath) },
    none: {},
  },
  refused: { network: "svirt does not look networks up yet" },
});

/** `<graphics>`, https://libvirt.org/formatdomain.html#graphical-framebuffers */
export const graphics = choice("graphics", {
  attribute: "type",
  of: {
    vnc: {
      socket: attribute("socket", absolutePath),
      port: attribute("port", integer(-1, 65535)),
      autoport: attribute("autoport", yesNo),
      listenAddress: attribute("listen", hostAddress),
      sharePolicy: attribute("sharePolicy", oneOf("allow-exclusive", "force-shared", "ignore")),
      listens: children(listen),
    },
  },
  refused: {
    spice: "svirt does not do SPICE yet",
    sdl: "svirt's guests have no screen of the host",
    "egl-headless": "svirt does not share the host's graphics card yet",
    dbus: "svirt does not give guests a message bus",
    rdp: "it is for another hypervisor",
    desktop: "it is for another hypervisor",
  },
  exceptions: [
    refused("@passwd", "svirt keeps no passwords in a definition; use a socket and SSH"),
    refused("@passwdValidTo", "svirt keeps no passwords in a definition; use a socket and SSH"),
    refused("@websocket", "svirt does not open WebSockets"),
  ],
});
export type Graphics = ValueOf<typeof graphics>;
