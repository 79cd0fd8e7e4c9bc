import { sizeInBytes } from "../../domain/forms/byte-size.ts";
import { volumeEncryption } from "../../domain/forms/secret.ts";
import { absolutePath, lineOfText } from "../../domain/forms/text.ts";
import type { ElementForm } from "../../xml/declaration.ts";
import { element, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, flag, required, textOf } from "../../xml/field.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { readWhole } from "../../xml/read-whole.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { anyText, integer, matching, oneOf } from "../../xml/value-form.ts";
import { type Permissions, permissions as permissionsForm } from "../permissions.ts";

/** First version of qcow2 with features. */
const FEATURES_COMPAT = "1.1";

const instant = matching(/^[0-9]{1,12}(?:\.[0-9]{0,9})?$/, "seconds since 1970, with up to 9 decimals");
const timestamps = element("timestamps", () => ({
  atime: textOf("atime", instant),
  mtime: textOf("mtime", instant),
  ctime: textOf("ctime", instant),
  btime: textOf("btime", instant),
}));

const format = child(element("format", () => ({ type: required(attribute("type", lineOfText)) })));
const permissions = child(permissionsForm);

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
  // Empty elements are absent to virXPathString() of libvirt.
  capacityBytes: sizeInBytes("capacity", { least: 0, empty: "absent" }),
  allocationBytes: sizeInBytes("allocation", { least: 0, empty: "absent" }),
  physicalBytes: sizeInBytes("physical", { least: 0 }),
  target: child(target),
  backingStore: child(backingStore),
}));

type Written = ValueOf<typeof written>;
type Target = ValueOf<typeof target>;

/**
 * `<volume>`, https://libvirt.org/formatstorage.html#storage-volume-xml. Facts that only the storage knows
 * are dropped. virStorageVolDefParseXML() of libvirt
 */
export const volume: ElementForm<Written> = rewritten(
  written,
  ({ physicalBytes: _, source: from, target: own = { nocow: false }, ...value }) => ({
    ...value,
    type: value.type ?? "file",
    target: targetAsKept(own, value.type),
    ...(from === undefined || from.devices.length === 0 ? {} : { source: from }),
    ...(value.backingStore === undefined
      ? {}
      : { backingStore: withoutTimes(value.backingStore, value.type) }),
  }),
);

/** Storage volume. */
export type Volume = Omit<Written, "target"> & { readonly target: Target };

/** Implements parseVolume(). */
export function readVolume(bytes: Uint8Array): Volume {
  const root = parseDocument(bytes);
  if (root.tag === volume.tag) return { target: { nocow: false }, ...readWhole(volume, root) };
  throw notUnderstood({ node: root }, "it is not a <volume>", "Give svirt the definition of a volume.");
}

/** Implements formatVolume(). */
export function writeVolume(value: Volume): string {
  const { capacityBytes = 0, allocationBytes = capacityBytes } = value;
  return formatDocument(volume.format({ ...value, capacityBytes, allocationBytes }));
}

function targetAsKept(own: Target, type: Written["type"]): Target {
  const { features } = own;
  return {
    ...withoutTimes(own, type),
    ...(features === undefined ? {} : { compat: own.compat ?? FEATURES_COMPAT }),
  };
}

/**
 * Drops an image's times, which only the storage knows, and adds the default format of an image in a file.
 */
function withoutTimes<
  T extends { timestamps?: unknown; permissions?: Permissions; format?: { type: string } },
>({ permissions: granted, timestamps: _, ...image }: T, type: Written["type"] = "file") {
  const isGranted = granted !== undefined && Object.keys(granted).length > 0;
  return {
    ...image,
    ...(type === "file" ? { format: image.format ?? { type: "raw" } } : {}),
    ...(isGranted ? { permissions: granted } : {}),
  };
}
