import { choice } from "../xml/choice.ts";
import { checked, element, refused, type ValueOf } from "../xml/element.ts";
import { attribute, child, children, flag, required } from "../xml/field.ts";
import type { XmlNode } from "../xml/node.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { integer, matching, oneOf, onOff } from "../xml/value-form.ts";
import { onPci } from "./address.ts";
import { bootOrder } from "./boot-order.ts";
import { virtioModel, virtioOptions } from "./virtio-driver.ts";
import { absolutePath, lineOfText } from "./words.ts";

const uint32 = integer(0, 2 ** 32 - 1);

/** A mode of files, octal as chmod(1) writes it. */
const fileMode = matching(/^0?[0-7]{3}$/, "a mode of three octal digits");

const driver = element("driver", {
  type: attribute("type", oneOf("path", "handle", "virtiofs")),
  wrpolicy: attribute("wrpolicy", oneOf("immediate")),
  queueSize: attribute("queue", integer(0, 2 ** 16 - 1)),
  ...virtioOptions,
});

const binary = element("binary", {
  path: attribute("path", absolutePath),
  xattr: attribute("xattr", onOff),
  cache: child(element("cache", { mode: required(attribute("mode", oneOf("none", "always"))) })),
  sandbox: child(element("sandbox", { mode: required(attribute("mode", oneOf("namespace", "chroot"))) })),
  lock: child(element("lock", { posix: attribute("posix", onOff), flock: attribute("flock", onOff) })),
  threadPool: child(element("thread_pool", { size: required(attribute("size", uint32)) })),
  openfiles: child(element("openfiles", { max: required(attribute("max", uint32)) })),
});

const range = {
  start: required(attribute("start", uint32)),
  target: required(attribute("target", uint32)),
  count: required(attribute("count", uint32)),
};
const idmap = element("idmap", {
  uids: children(element("uid", range)),
  gids: children(element("gid", range)),
});

const source = element("source", {
  dir: attribute("dir", absolutePath),
  socket: attribute("socket", absolutePath),
});
const target = element("target", { dir: required(attribute("dir", lineOfText)) });

const grammar = choice("filesystem", {
  attribute: "type",
  absent: "mount",
  of: {
    mount: {
      accessmode: attribute("accessmode", oneOf("passthrough", "mapped", "squash")),
      model: attribute("model", virtioModel),
      multidevs: attribute("multidevs", oneOf("default", "remap", "forbid", "warn")),
      fileMode: attribute("fmode", fileMode),
      directoryMode: attribute("dmode", fileMode),
      driver: child(driver),
      binary: child(binary),
      idmap: child(idmap),
      source: required(child(source)),
      target: required(child(target)),
      readonly: flag("readonly"),
      boot: bootOrder,
      ...onPci,
    },
  },
  refused: {
    file: "it is for containers",
    block: "it is for containers",
    template: "it is for containers",
    ram: "it is for containers",
    bind: "it is for containers",
    volume: "it is for containers",
  },
  exceptions: [
    refused("space_hard_limit", "it is for containers"),
    refused("space_soft_limit", "it is for containers"),
  ],
});
export type Filesystem = ValueOf<typeof grammar>;

/** `<filesystem>`, https://libvirt.org/formatdomain.html#filesystems */
export const filesystem = checked(grammar, refuseContradiction);

// virDomainFSDefParseXML() and qemuValidateDomainDeviceDefFS() of libvirt
function refuseContradiction(value: Filesystem, node: XmlNode): void {
  const isVirtiofs = value.driver?.type === "virtiofs";
  const { dir, socket } = value.source;
  const otherOnly = isVirtiofs
    ? (["multidevs", "fileMode", "directoryMode"] as const)
    : (["binary", "idmap", "boot"] as const);
  const strange = otherOnly.find((key) => value[key] !== undefined);
  if (strange !== undefined) {
    const place = PLACES.get(strange) ?? strange;
    throw notUnderstood({ node, place }, `a ${isVirtiofs ? "virtiofs" : "9p"} has none`, "Leave it out.");
  }
  if (dir === undefined ? !isVirtiofs || socket === undefined : socket !== undefined) {
    const why = "it names either a folder or, for virtiofs, a socket";
    throw notUnderstood({ node, place: "source" }, why, "Write dir='…', or socket='…' alone.");
  }
  if (!isVirtiofs && value.driver?.queueSize !== undefined) {
    throw notUnderstood({ node, place: "driver/@queue" }, "only virtiofs has one", "Leave it out.");
  }
}

const PLACES: ReadonlyMap<string, string> = new Map([
  ["multidevs", "@multidevs"],
  ["fileMode", "@fmode"],
  ["directoryMode", "@dmode"],
]);
