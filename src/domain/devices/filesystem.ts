import { choice } from "../../xml/choice.ts";
import { checked, element, refused, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, flag, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, onOff, type ValueForm } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { bootOrder } from "../forms/boot-order.ts";
import { absolutePath, lineOfText } from "../forms/text.ts";
import { virtioModel, virtioOptions } from "../forms/virtio-driver.ts";

const uint32 = integer(0, 2 ** 32 - 1);

/** File mode in octal, as chmod(1) writes it; written with four digits. */
const fileMode: ValueForm<string> = {
  expects: "a mode of three octal digits",
  decode: (text) => (/^0?[0-7]{3}$/.test(text) ? text.padStart(4, "0") : undefined),
  encode: (text) => text,
};

const driver = element("driver", () => ({
  type: attribute("type", oneOf("path", "handle", "virtiofs")),
  wrpolicy: attribute("wrpolicy", oneOf("immediate")),
  queueSize: attribute("queue", integer(0, 2 ** 16 - 1)),
  ...virtioOptions,
}));

const binary = element("binary", () => ({
  path: attribute("path", absolutePath),
  xattr: attribute("xattr", onOff),
  cache: child(element("cache", () => ({ mode: required(attribute("mode", oneOf("none", "always"))) }))),
  sandbox: child(
    element("sandbox", () => ({ mode: required(attribute("mode", oneOf("namespace", "chroot"))) })),
  ),
  lock: child(
    element("lock", () => ({ posix: attribute("posix", onOff), flock: attribute("flock", onOff) })),
  ),
  threadPool: child(element("thread_pool", () => ({ size: required(attribute("size", uint32)) }))),
  openfiles: child(element("openfiles", () => ({ max: required(attribute("max", uint32)) }))),
}));

const range = {
  start: required(attribute("start", uint32)),
  target: required(attribute("target", uint32)),
  count: required(attribute("count", uint32)),
};
const idmap = element("idmap", () => ({
  uids: children(element("uid", () => range)),
  gids: children(element("gid", () => range)),
}));

const source = element("source", () => ({
  dir: attribute("dir", absolutePath),
  socket: attribute("socket", absolutePath),
}));
const target = element("target", () => ({ dir: required(attribute("dir", lineOfText)) }));

const grammar = choice("filesystem", {
  attribute: "type",
  absent: "mount",
  of: () => ({
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
  }),
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
  const strange = (isVirtiofs ? listOf9p(value) : listOfVirtiofs(value)).find(([, isThere]) => isThere)?.[0];
  if (strange !== undefined) {
    const why = `a ${isVirtiofs ? "virtiofs" : "9p"} has none`;
    throw notUnderstood({ node, place: strange }, why, "Leave it out.");
  }
  const { dir, socket } = value.source;
  if (dir === undefined ? isVirtiofs && socket !== undefined : socket === undefined) return;
  const why = "it must have either dir or, for virtiofs, socket";
  throw notUnderstood({ node, place: "source" }, why, "Write dir='…', or only socket='…'.");
}

type Found = readonly (readonly [place: string, isThere: boolean])[];

function listOf9p({ accessmode, ...value }: Filesystem): Found {
  return [
    ["@accessmode", accessmode !== undefined && accessmode !== "passthrough"],
    ["@multidevs", value.multidevs !== undefined],
    ["@model", value.model !== undefined],
    ["readonly", value.readonly && value.source.socket !== undefined],
    ["@fmode", value.fileMode !== undefined],
    ["@dmode", value.directoryMode !== undefined],
    ["driver/@wrpolicy", value.driver?.wrpolicy !== undefined],
  ];
}

function listOfVirtiofs(value: Filesystem): Found {
  return [
    ["binary", value.binary !== undefined],
    ["idmap", value.idmap !== undefined],
    ["boot", value.boot !== undefined],
    ["driver/@queue", value.driver?.queueSize !== undefined],
  ];
}
