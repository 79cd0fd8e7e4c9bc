import type { ElementForm } from "../../xml/declaration.ts";
import { element, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, flag, required, textOf } from "../../xml/field.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { readWhole } from "../../xml/read-whole.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { anyText, integer, matching, oneOf, type ValueForm } from "../../xml/value-form.ts";
import { sizeInBytes } from "../forms/byte-size.ts";
import { volumeEncryption } from "../forms/secret.ts";
import { absolutePath, lineOfText, securityLabel } from "../forms/text.ts";

/** ID that libvirt reads and writes for an unspecified owner or group. */
const NOBODY = 2 ** 32 - 1;
const MODE_BITS = 0o7777;
/** First version of qcow2 with features. */
const FEATURES_COMPAT = "1.1";

/** Mode such as `0644`, as virStorageDefParsePerms() of libvirt reads it and `0%o` writes it. */
const octalMode: ValueForm<number> = {
  expects: "a mode in octal digits, 0 to 07777",
  decode(text) {
    const mode = /^[0-7]{1,5}$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
    return mode <= MODE_BITS ? mode : undefined;
  },
  encode: (mode) => `0${mode.toString(8)}`,
};

const writtenPermissions = element("permissions", () => ({
  mode: textOf("mode", octalMode),
  owner: textOf("owner", integer(-1, NOBODY)),
  group: textOf("group", integer(-1, NOBODY)),
  label: textOf("label", securityLabel),
}));

/** Mode, owner, group and label of a volume. */
export type Permissions = ValueOf<typeof writtenPermissions>;

const instant = matching(/^[0-9]{1,12}(?:\.[0-9]{0,9})?$/, "seconds since 1970, with up to 9 decimals");
const timestamps = element("timestamps", () => ({
  atime: textOf("atime", instant),
  mtime: textOf("mtime", instant),
  ctime: textOf("ctime", instant),
  btime: textOf("btime", instant),
}));

const format = child(element("format", () => ({ type: required(attribute("type", lineOfText)) })));
const permissions = child(rewritten(writtenPermissions, withoutNobody));

const extent = element("extent", () => ({
  start: required(attribute("start", integer(0, Number.MAX_SAFE_INTEGER))),
  end: required(attribute("end", integer(0, Number.MAX_SAFE_INTEGER))),
}));
const source = element("source", () => ({
  devices: children(
    element("device", () => ({ path: required(attribute("path", absolutePath)), extents: children(extent) })),
  ),
}));

const target = element("target", () => ({
  path: textOf("path", lineOfText),
  format,
  permissions,
  timestamps: child(timestamps),
  encryption: child(volumeEncryption),
  compat: textOf("compat", matching(/^\d{1,3}\.\d{1,3}$/, "two numbers, as in 1.1")),
  nocow: flag("nocow"),
  clusterBytes: sizeInBytes("clusterSize", { written: "B" }),
  features: child(
    element("features", () => ({ lazyRefcounts: flag("lazy_refcounts"), extendedL2: flag("extended_l2") })),
  ),
}));

const backingStore = element("backingStore", () => ({
  path: required(textOf("path", absolutePath)),
  format,
  permissions,
  timestamps: child(timestamps),
}));

const written = element("volume", () => ({
  type: attribute("type", oneOf("file", "block", "dir", "network", "netdir")),
  name: required(textOf("name", lineOfText)),
  key: textOf("key", anyText),
  source: child(source),
  capacityBytes: sizeInBytes("capacity", { least: 0 }),
  allocationBytes: sizeInBytes("allocation", { least: 0 }),
  physicalBytes: sizeInBytes("physical", { least: 0 }),
  target: required(child(target)),
  backingStore: child(backingStore),
}));

/** `<volume>`, https://libvirt.org/formatstorage.html#storage-volume-xml */
const volume: ElementForm<Volume> = rewritten(written, asKept);

/** Storage volume. */
export type Volume = ValueOf<typeof written>;

/** Reads a `<volume>` document. Throws "xml" and "unsupported", with the place. */
export function parseVolume(bytes: Uint8Array): Volume {
  const root = parseDocument(bytes);
  if (root.tag === volume.tag) return readWhole(volume, root);
  throw notUnderstood({ node: root }, "it is not a <volume>", "Give svirt the definition of a volume.");
}

/** Returns the volume's XML in libvirt's layout. */
export function formatVolume(value: Volume): string {
  return formatDocument(volume.format(value));
}

/** Drops facts that only the storage knows, and adds libvirt's defaults. */
function asKept({ physicalBytes: _, source: from, ...value }: Volume): Volume {
  const type = value.type ?? "file";
  const capacityBytes = value.capacityBytes ?? 0;
  const { backingStore: below, target: own } = value;
  return {
    ...value,
    type,
    capacityBytes,
    allocationBytes: value.allocationBytes ?? capacityBytes,
    target: {
      ...knownBefore(own, type),
      ...(own.features === undefined ? {} : { compat: own.compat ?? FEATURES_COMPAT }),
    },
    ...(from === undefined || from.devices.length === 0 ? {} : { source: from }),
    ...(below === undefined ? {} : { backingStore: knownBefore(below, "file") }),
  };
}

/** Drops an image's times, which only the storage knows, and adds the default format of an image in a file. */
function knownBefore<
  T extends { timestamps?: unknown; permissions?: Permissions; format?: { type: string } },
>({ permissions: granted, timestamps: _, ...image }: T, type: Volume["type"]) {
  const isGranted = granted !== undefined && Object.keys(granted).length > 0;
  return {
    ...image,
    ...(type === "file" ? { format: image.format ?? { type: "raw" } } : {}),
    ...(isGranted ? { permissions: granted } : {}),
  };
}

function withoutNobody({ group, owner, ...rest }: Permissions): Permissions {
  return {
    ...rest,
    ...(isSomebody(owner) ? { owner } : {}),
    ...(isSomebody(group) ? { group } : {}),
  };
}

function isSomebody(id: number | undefined): id is number {
  return id !== undefined && id !== -1 && id !== NOBODY;
}
