import { choice } from "../../../xml/choice.ts";
import { dropped, element, refused, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, children, required } from "../../../xml/field.ts";
import { integer, oneOf, type ValueForm, yesNo } from "../../../xml/value-form.ts";
import { hostPciAddress } from "../address.ts";
import { sourceReconnect } from "../reconnect.ts";
import { encryption } from "../secret.ts";
import { sourceSeclabel } from "../source-seclabel.ts";
import { absolutePath, objectName } from "../text.ts";
import { networkSource } from "./network.ts";

/** Image formats. QEMU has the same names, except for `vpc`, `ploop` and the like, which are libvirt's. */
export const imageFormat = oneOf(
  "raw",
  "qcow2",
  "qcow",
  "qed",
  "vmdk",
  "vdi",
  "vpc",
  "vhdx",
  "bochs",
  "cloop",
  "dmg",
  "ploop",
);

/** Format in a disk's `<driver>`: an image format, or the FAT file system that QEMU makes of a folder. */
export const driverFormat: ValueForm<ImageFormat | "fat"> = {
  get expects() {
    return `${imageFormat.expects}, or "fat" for a folder`;
  },
  decode: (text) => (text === "fat" ? text : imageFormat.decode(text)),
  encode: (value) => value,
};
export type ImageFormat = Exclude<ReturnType<typeof imageFormat.decode>, undefined>;

const byIndex = [dropped("@index", "svirt numbers images at each start")];
const local = [...byIndex, refused("@fdgroup", "svirt opens every image itself")];

const position = integer(0, Number.MAX_SAFE_INTEGER);
const slice = element("slice", () => ({
  type: required(attribute("type", oneOf("storage"))),
  offset: required(attribute("offset", position)),
  size: required(attribute("size", position)),
}));
export type Slice = ValueOf<typeof slice>;
const slices = child(element("slices", () => ({ slice: required(child(slice)) })));

const helperSocket = element("source", () => ({
  type: required(attribute("type", oneOf("unix"))),
  path: required(attribute("path", absolutePath)),
  mode: required(attribute("mode", oneOf("client"))),
}));
const reservations = child(
  choice("reservations", {
    attribute: "managed",
    of: () => ({ yes: {}, no: { source: required(child(helperSocket)) } }),
    exceptions: [refused("@enabled", "it is the older spelling: leave <reservations> out instead")],
    exceptionsOf: {
      yes: [dropped("source", "it is the place where libvirt reports the socket of its helper")],
    },
  }),
);
const seclabels = children(sourceSeclabel);
const startupPolicy = attribute("startupPolicy", oneOf("mandatory", "requisite", "optional"));

const plainFile = element(
  "source",
  () => ({ file: required(attribute("file", absolutePath)), slices, seclabels }),
  local,
);
const plainBlock = element(
  "source",
  () => ({ dev: required(attribute("dev", absolutePath)), slices, seclabels }),
  local,
);
const plainNetwork = networkSource({ slices, encryption }, {}, {});

const dataStoreFormat = required(
  child(element("format", () => ({ type: required(attribute("type", oneOf("raw"))) }))),
);
const dataStoreForm = choice("dataStore", {
  attribute: "type",
  of: () => ({
    file: { format: dataStoreFormat, source: required(child(plainFile)) },
    block: { format: dataStoreFormat, source: required(child(plainBlock)) },
    network: { format: dataStoreFormat, source: required(child(plainNetwork)) },
  }),
});
export type DataStore = ValueOf<typeof dataStoreForm>;
const dataStore = child(dataStoreForm);

const besidesPlace = { startupPolicy, slices, seclabels, encryption, reservations, dataStore };

/** `<source file='…'>`, https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms */
export const fileSource = element(
  "source",
  () => ({
    file: required(attribute("file", absolutePath)),
    ...besidesPlace,
  }),
  local,
);

/**
 * `<source file='…' pool='…' volume='…'>`: the file of a running guest's disk, which is a volume of a pool.
 */
export const diskFileSource = element(
  "source",
  () => ({
    file: required(attribute("file", absolutePath)),
    pool: attribute("pool", objectName),
    volume: attribute("volume", objectName),
    ...besidesPlace,
  }),
  local,
);
/**
 * `<source dev='…' pool='…' volume='…'>`: the device of a running guest's disk, which is a volume of a pool.
 */
export const diskBlockSource = element(
  "source",
  () => ({
    dev: required(attribute("dev", absolutePath)),
    pool: attribute("pool", objectName),
    volume: attribute("volume", objectName),
    mode: attribute("mode", oneOf("host")),
    ...besidesPlace,
  }),
  local,
);
/** `<source dev='…'>` of a block device. */
export const blockSource = element(
  "source",
  () => ({
    dev: required(attribute("dev", absolutePath)),
    ...besidesPlace,
  }),
  local,
);
/** `<source protocol='…'>`. */
export const networkImage = networkSource({ slices, encryption }, { reservations }, { dataStore });
export type NetworkSource = ValueOf<typeof networkImage>;

/** `<source dir='…'>`: a folder, shown to the guest as a FAT file system. */
export const dirSource = element(
  "source",
  () => ({ dir: required(attribute("dir", absolutePath)), startupPolicy }),
  byIndex,
);

/** `<source pool='…' volume='…'>`. */
export const volumeSource = element(
  "source",
  () => ({
    pool: required(attribute("pool", objectName)),
    volume: required(attribute("volume", objectName)),
    mode: attribute("mode", oneOf("host", "direct")),
    startupPolicy,
    seclabels,
  }),
  byIndex,
);

/** `<source type='pci'>` of an NVMe drive with QEMU's own driver. */
export const nvmeSource = element(
  "source",
  () => ({
    type: required(attribute("type", oneOf("pci"))),
    managed: attribute("managed", yesNo),
    namespace: required(attribute("namespace", integer(1, 2 ** 32 - 1))),
    address: required(child(hostPciAddress)),
    encryption,
  }),
  byIndex,
);

/** `<source type='unix'>` of a vhost-user program. */
export const vhostUserSource = element(
  "source",
  () => ({
    type: required(attribute("type", oneOf("unix"))),
    path: required(attribute("path", absolutePath)),
    reconnect: sourceReconnect,
  }),
  byIndex,
);

/** `<source dev='…'>` of a vhost-vdpa device. */
export const vhostVdpaSource = element(
  "source",
  () => ({ dev: required(attribute("dev", absolutePath)) }),
  byIndex,
);
