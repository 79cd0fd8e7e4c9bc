import { choice } from "../../xml/choice.ts";
import type { Field } from "../../xml/declaration.ts";
import { dropped, element, type Fields, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { integer, matching, oneOf } from "../../xml/value-form.ts";
import { consoleAddress, serialAddress, serialPortAddress } from "../forms/address.ts";
import { alias } from "../forms/alias.ts";
import { socketAnywhere, socketAtPath } from "../forms/source/chardev.ts";
import { BACKEND_EXCEPTIONS, chardevBackends, REFUSED_BACKENDS } from "../forms/source/chardev-backend.ts";
import { word } from "../forms/text.ts";

const serialTarget = element("target", () => ({
  type: attribute("type", oneOf("isa-serial", "pci-serial", "usb-serial", "isa-debug")),
  port: attribute("port", oneOf("0", "1", "2", "3")),
  model: child(
    element("model", () => ({
      name: required(attribute("name", oneOf("isa-serial", "pci-serial", "usb-serial", "isa-debugcon"))),
    })),
  ),
}));
const parallelTarget = element("target", () => ({ port: attribute("port", integer(0, 2)) }));
const consoleTarget = element("target", () => ({
  type: attribute("type", oneOf("serial", "virtio")),
  port: attribute("port", word),
}));
const ipv4 = matching(/^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/, "an IPv4 address, 10.0.2.1");
const channelTarget = choice("target", {
  attribute: "type",
  of: () => ({
    virtio: { name: attribute("name", word) },
    guestfwd: {
      address: required(attribute("address", ipv4)),
      port: required(attribute("port", integer(1, 65535))),
    },
  }),
  refused: { xen: "it is for another hypervisor" },
  exceptions: [dropped("@state", "svirt asks the running guest")],
});

/** `<serial>`, https://libvirt.org/formatdomain.html#consoles-serial-parallel-channel-devices */
export const serial = chardev(
  "serial",
  { target: child(serialTarget), alias, address: child(serialPortAddress) },
  socketAtPath,
);
export type Serial = ValueOf<typeof serial>;

/** `<parallel>`, https://libvirt.org/formatdomain.html#consoles-serial-parallel-channel-devices */
export const parallel = chardev("parallel", { target: child(parallelTarget), alias }, socketAtPath);
export type Parallel = ValueOf<typeof parallel>;

/** `<console>`; of type serial it is another name for the first `<serial>` and has the same address. */
export const consoleDevice = chardev(
  "console",
  { target: child(consoleTarget), alias, address: child(consoleAddress) },
  socketAtPath,
);
export type ConsoleDevice = ValueOf<typeof consoleDevice>;

/** `<channel>`, such as the guest agent's virtio port; svirt chooses the path of a socket without a path. */
export const channel = chardev(
  "channel",
  { target: required(child(channelTarget)), alias, address: child(serialAddress) },
  socketAnywhere,
);
export type Channel = ValueOf<typeof channel>;

function chardev<const F extends Fields, S>(tag: string, end: F, socket: Field<S>) {
  return choice(tag, {
    attribute: "type",
    absent: "pty",
    of: () => chardevBackends(end, socket),
    refused: REFUSED_BACKENDS,
    exceptionsOf: BACKEND_EXCEPTIONS,
  });
}
