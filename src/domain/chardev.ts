import { choice } from "../xml/choice.ts";
import type { Field } from "../xml/declaration.ts";
import { dropped, element, type Fields, type ValueOf } from "../xml/element.ts";
import { attribute, child, children, required } from "../xml/field.ts";
import { oneOf, onOff } from "../xml/value-form.ts";
import { onPciOrUsb, serialAddress } from "./address.ts";
import { alias } from "./alias.ts";
import { sourceSeclabel } from "./source-seclabel.ts";
import { absolutePath, word } from "./words.ts";

const fileSource = element("source", {
  path: required(attribute("path", absolutePath)),
  append: attribute("append", onOff),
  seclabels: children(sourceSeclabel),
});
const mode = required(attribute("mode", oneOf("bind", "connect")));
const seclabels = children(sourceSeclabel);
const socketSource = element("source", { mode, path: attribute("path", absolutePath), seclabels });
const socketAtPath = element("source", { mode, path: required(attribute("path", absolutePath)), seclabels });

const onSerialBus = { alias, address: child(serialAddress) };

const NOT_YET = "svirt does not connect guests that way yet";
const OTHER_BACKENDS = {
  dev: "svirt does not pass devices through yet",
  pipe: NOT_YET,
  stdio: "svirt's guests have no terminal",
  tcp: NOT_YET,
  udp: NOT_YET,
  vc: NOT_YET,
  nmdm: "it is for another hypervisor",
  spicevmc: "svirt does not do SPICE yet",
  spiceport: "svirt does not do SPICE yet",
  "qemu-vdagent": NOT_YET,
  dbus: NOT_YET,
};

const serialTarget = element("target", {
  type: attribute("type", oneOf("isa-serial", "pci-serial", "usb-serial")),
  port: attribute("port", oneOf("0", "1", "2", "3")),
  model: child(
    element("model", { name: required(attribute("name", oneOf("isa-serial", "pci-serial", "usb-serial"))) }),
  ),
});
const consoleTarget = element("target", {
  type: attribute("type", oneOf("serial", "virtio")),
  port: attribute("port", word),
});
const channelTarget = element(
  "target",
  { type: required(attribute("type", oneOf("virtio"))), name: attribute("name", word) },
  [dropped("@state", "svirt asks the running guest")],
);

/** `<serial>`, https://libvirt.org/formatdomain.html#consoles-serial-parallel-channel-devices */
export const serial = chardev(
  "serial",
  { target: child(serialTarget), ...onPciOrUsb },
  required(child(socketAtPath)),
);
export type Serial = ValueOf<typeof serial>;

/** `<console>`: of type serial it is another name for the first `<serial>`. */
export const consoleDevice = chardev(
  "console",
  { target: child(consoleTarget), ...onSerialBus },
  required(child(socketAtPath)),
);
export type ConsoleDevice = ValueOf<typeof consoleDevice>;

/** `<channel>` of a virtio port, as the guest agent's; for a socket without a path, svirt chooses one. */
export const channel = chardev(
  "channel",
  { target: required(child(channelTarget)), ...onSerialBus },
  child(socketSource),
);
export type Channel = ValueOf<typeof channel>;

function chardev<const F extends Fields, S>(tag: string, end: F, socket: Field<S>) {
  return choice(tag, {
    attribute: "type",
    absent: "pty",
    of: {
      pty: end,
      file: { source: required(child(fileSource)), ...end },
      unix: { source: socket, ...end },
      null: end,
    },
    refused: OTHER_BACKENDS,
    exceptionsOf: {
      pty: [
        dropped("@tty", "the kernel gives a terminal its name at each start"),
        dropped("source", "the kernel gives a terminal its name at each start"),
      ],
    },
  });
}
