import { checked, element, type Fields } from "../../../xml/element.ts";
import { attribute, child, children, required } from "../../../xml/field.ts";
import type { XmlNode } from "../../../xml/node.ts";
import { notUnderstood } from "../../../xml/refusal.ts";
import { matching, oneOf, onOff, yesNo } from "../../../xml/value-form.ts";
import { sourceReconnect as reconnect } from "../reconnect.ts";
import { sourceSeclabel } from "../source-seclabel.ts";
import { absolutePath, hostAddress, word } from "../text.ts";

const seclabels = children(sourceSeclabel);
const path = required(attribute("path", absolutePath));
const mode = required(attribute("mode", oneOf("bind", "connect")));

/** Port by its number or by its name in services(5). */
const service = matching(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "a port");

/** `<source>` of a file written by QEMU. */
export const fileSource = element("source", () => ({ path, append: attribute("append", onOff), seclabels }));

/** `<source>` of a device of the host, or of a pair of FIFOs. */
export const pathSource = element("source", () => ({ path, seclabels }));

/** `<source>` of a Unix socket. */
export const socketAtPath = required(child(socketSource({ mode, path, reconnect, seclabels })));

/** `<source>` of a Unix socket with an optional path; svirt may choose it. */
export const socketAnywhere = child(
  socketSource({ mode, path: attribute("path", absolutePath), reconnect, seclabels }),
);

/** `<source>` of a TCP port. */
export const tcpSource = socketSource({
  mode,
  host: required(attribute("host", hostAddress)),
  service: required(attribute("service", service)),
  tls: attribute("tls", yesNo),
  reconnect,
});

/** `<source>` of an end of a UDP socket: QEMU's destination, or its listening address. */
export const udpSource = element("source", () => ({
  mode,
  host: attribute("host", hostAddress),
  service: attribute("service", service),
}));

/** `<source>` of an entropy gathering daemon (EGD): a TCP port, a Unix socket or a pair of FIFOs. */
export const egdSource = socketSource({
  mode: attribute("mode", oneOf("bind", "connect")),
  path: attribute("path", absolutePath),
  host: attribute("host", hostAddress),
  service: attribute("service", service),
  reconnect,
  seclabels,
});

/** `<source>` of a channel of SPICE or of D-Bus. */
export const namedSource = element("source", () => ({ channel: required(attribute("channel", word)) }));

/** `<source>` of QEMU's built-in SPICE agent. */
export const vdagentSource = element("source", () => ({
  clipboard: child(element("clipboard", () => ({ copypaste: required(attribute("copypaste", yesNo)) }))),
  mouse: child(element("mouse", () => ({ mode: required(attribute("mode", oneOf("client", "server"))) }))),
}));

// virDomainChrSourceDefParseXML() of libvirt: "reconnect is not possible for source in listen mode"
function socketSource<F extends Fields>(fields: F) {
  return checked(
    element("source", () => fields),
    (_value, node: XmlNode) => {
      const again = node.children.find(({ tag }) => tag === "reconnect");
      if (again === undefined || node.attributes.get("mode") === "connect") return;
      throw notUnderstood(
        { node: again },
        "only a connecting socket reconnects",
        "Leave it out, or write mode='connect'.",
      );
    },
  );
}
