import { choice } from "../../../xml/choice.ts";
import type { Field } from "../../../xml/declaration.ts";
import { checked, dropped, element, type Fields, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, children, content, required } from "../../../xml/field.ts";
import { notUnderstood } from "../../../xml/refusal.ts";
import { integer, yesNo } from "../../../xml/value-form.ts";
import { auth } from "../secret.ts";
import { absolutePath, hostName, lineOfText, objectName } from "../text.ts";

const tcpFields = {
  name: required(attribute("name", hostName)),
  port: attribute("port", integer(1, 65535)),
};

/** `<host>`, reached by TCP, or by a Unix socket if the protocol supports it. */
const anyHost = choice("host", {
  attribute: "transport",
  silent: "default",
  of: () => ({
    default: tcpFields,
    tcp: tcpFields,
    unix: { socket: required(attribute("socket", absolutePath)) },
  }),
  refused: { rdma: "it is not supported by QEMU for images" },
});
export type ImageHost = ValueOf<typeof anyHost>;

const name = attribute("name", lineOfText);
const oneName = required(name);
const snapshot = child(element("snapshot", () => ({ name: required(attribute("name", objectName)) })));
const config = child(element("config", () => ({ file: required(attribute("file", absolutePath)) })));
/** `<initiator>`: QEMU's name at its login. */
export const initiator = child(
  element("initiator", () => ({
    iqn: required(child(element("iqn", () => ({ name: required(attribute("name", objectName)) })))),
  })),
);
const ssl = child(element("ssl", () => ({ verify: required(attribute("verify", yesNo)) })));
const cookie = element("cookie", () => ({
  name: required(attribute("name", objectName)),
  value: content(lineOfText),
}));
const cookies = child(element("cookies", () => ({ list: children(cookie) })));
const size = integer(1, 2 ** 31 - 1);
const readahead = child(element("readahead", () => ({ size: required(attribute("size", size)) })));
const timeout = child(element("timeout", () => ({ seconds: required(attribute("seconds", size)) })));
const reconnect = child(element("reconnect", () => ({ delay: required(attribute("delay", size)) })));
const knownHosts = child(element("knownHosts", () => ({ path: required(attribute("path", absolutePath)) })));
const sshIdentity = child(
  checked(
    element("identity", () => ({
      username: attribute("username", objectName),
      keyfile: attribute("keyfile", absolutePath),
      agentsock: attribute("agentsock", absolutePath),
    })),
    (value, node) => {
      if (value.keyfile === undefined || value.agentsock === undefined) return;
      throw notUnderstood({ node }, "it names both a key and an agent", "Leave one of them out.");
    },
  ),
);
const nfsIdentity = child(
  element("identity", () => ({ user: attribute("user", objectName), group: attribute("group", objectName) })),
);
const hosts = children(anyHost);

/** Fields of a `<source>` that do not depend on its protocol, in written order. */
interface Common {
  readonly slices: Field<unknown>;
  readonly encryption: Field<unknown>;
}

/**
 * Returns the form of `<source protocol='…'>`,
 * https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms
 */
export function networkSource<const C extends Common, const R extends Fields, const L extends Fields>(
  { slices, encryption }: C,
  reservations: R,
  last: L,
) {
  const end = { slices, encryption, ...last } as Pick<C, keyof Common> & L;
  const endWithAuth = { slices, auth, encryption, ...last } as Pick<C, keyof Common> & {
    auth: typeof auth;
  } & L;
  const query = attribute("query", lineOfText);
  const web = { name: oneName, query, hosts, ssl, cookies, readahead, timeout, ...endWithAuth };
  return choice("source", {
    attribute: "protocol",
    of: () => ({
      nbd: {
        name,
        tls: attribute("tls", yesNo),
        tlsHostname: attribute("tlsHostname", hostName),
        hosts,
        reconnect,
        ...end,
      },
      rbd: { name: oneName, hosts, snapshot, config, ...endWithAuth },
      iscsi: {
        name: oneName,
        hosts,
        initiator,
        slices: end.slices,
        auth,
        encryption: end.encryption,
        ...reservations,
        ...last,
      },
      http: web,
      https: web,
      ftp: { name: oneName, hosts, readahead, timeout, ...endWithAuth },
      ftps: { name: oneName, hosts, ssl, readahead, timeout, ...endWithAuth },
      ssh: { name: oneName, hosts, knownHosts, identity: sshIdentity, ...endWithAuth },
      gluster: { name: oneName, hosts, ...end },
      nfs: { name: oneName, hosts, identity: nfsIdentity, ...end },
    }),
    refused: {
      sheepdog: "it is no longer supported by QEMU",
      vxhs: "it is no longer supported by QEMU",
      tftp: "it is no longer supported by QEMU",
    },
    exceptions: [dropped("@index", "svirt numbers images at each start")],
  });
}
