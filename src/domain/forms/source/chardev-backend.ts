import type { Field } from "../../../xml/declaration.ts";
import { dropped, element, type Fields } from "../../../xml/element.ts";
import { attribute, child, children, required } from "../../../xml/field.ts";
import { oneOf, onOff } from "../../../xml/value-form.ts";
import { absolutePath } from "../text.ts";
import { fileSource, namedSource, pathSource, tcpSource, udpSource, vdagentSource } from "./chardev.ts";

const protocol = element("protocol", () => ({ type: required(attribute("type", oneOf("raw", "telnet"))) }));
const log = element("log", () => ({
  file: required(attribute("file", absolutePath)),
  append: attribute("append", onOff),
}));

/**
 * Returns the backends of a character device, each with its own fields followed by the device's.
 * https://libvirt.org/formatdomain.html#host-interface
 */
export function chardevBackends<const F extends Fields, S>(end: F, socket: Field<S>) {
  const rest = { log: child(log), ...end };
  return {
    pty: rest,
    null: rest,
    vc: rest,
    stdio: rest,
    spicevmc: rest,
    file: { source: required(child(fileSource)), ...rest },
    dev: { source: required(child(pathSource)), ...rest },
    pipe: { source: required(child(pathSource)), ...rest },
    unix: { source: socket, ...rest },
    tcp: { source: required(child(tcpSource)), protocol: child(protocol), ...rest },
    udp: { sources: children(udpSource), ...rest },
    spiceport: { source: required(child(namedSource)), ...rest },
    "qemu-vdagent": { source: child(vdagentSource), ...rest },
    dbus: { source: required(child(namedSource)), ...rest },
  };
}

/** Known backends, refused by svirt. */
export const REFUSED_BACKENDS = {
  nmdm: "it is for another hypervisor",
};

/** Elements and attributes of backends that do not describe the guest and are ignored. */
export const BACKEND_EXCEPTIONS = {
  pty: [
    dropped("@tty", "the kernel gives a terminal its name at each start"),
    dropped("source", "the kernel gives a terminal its name at each start"),
  ],
  unix: [dropped("protocol", "a Unix socket has one protocol")],
};
