import type { ElementForm, Field } from "../../xml/declaration.ts";
import type { Draft } from "../../xml/draft.ts";
import { checked, dropped, element, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, kept, required, textOf } from "../../xml/field.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { addPrefix } from "../../xml/namespace.ts";
import type { XmlNode } from "../../xml/node.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { readWhole } from "../../xml/read-whole.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { anyText, integer, oneOf } from "../../xml/value-form.ts";
import { metadataCache } from "../devices/disk/driver.ts";
import { type Domain, domain } from "../domain.ts";
import { encryption } from "../forms/secret.ts";
import { imageFormat } from "../forms/source/disk.ts";
import { sourceSeclabel } from "../forms/source-seclabel.ts";
import { absolutePath, objectName, uuid } from "../forms/text.ts";
import { QEMU_NAMESPACE } from "../machine/qemu-commandline.ts";

const LOCATIONS = ["no", "internal", "external", "manual"] as const;

const source = element(
  "source",
  () => ({
    file: attribute("file", absolutePath),
    dev: attribute("dev", absolutePath),
    seclabels: children(sourceSeclabel),
    encryption,
  }),
  [dropped("@index", "svirt numbers images at each start")],
);

const plainDisk = element("disk", () => ({
  name: required(attribute("name", anyText), "missing name from disk snapshot element"),
  snapshot: attribute("snapshot", oneOf(...LOCATIONS)),
  type: attribute("type", oneOf("file", "block")),
  driver: child(element("driver", () => ({ type: attribute("type", imageFormat), metadataCache }))),
  source: child(source),
}));
type PlainDisk = ValueOf<typeof plainDisk>;

/**
 * A disk of a snapshot. Its type is written if it has an image or a format. virDomainSnapshotDiskDefFormat()
 * of libvirt
 */
const disk = rewritten(plainDisk, ({ driver, name, snapshot: location, source: place, type }, node) => {
  refuseOtherSource(node, place, type);
  const isPlaced = place?.file !== undefined || place?.dev !== undefined;
  const isExternal = isPlaced || driver?.type !== undefined;
  const snapshot = location ?? (isExternal ? "external" : undefined);
  const written: PlainDisk = {
    name,
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(isExternal ? { type: type ?? "file" } : {}),
    ...(driver === undefined || !isExternal ? {} : { driver }),
    ...(isPlaced ? { source: place } : {}),
  };
  return written;
});

/** Refuses the source of a file for a device, and the reverse. */
function refuseOtherSource(
  node: XmlNode,
  place: PlainDisk["source"],
  type: PlainDisk["type"] = "file",
): void {
  const other = type === "block" ? "file" : "dev";
  if (place?.[other] === undefined) return;
  throw notUnderstood({ node, place: `source/@${other}` }, `the type is "${type}"`, "Write the other.");
}

const memory = checked(
  element("memory", () => ({
    snapshot: attribute("snapshot", oneOf("no", "internal", "external")),
    file: attribute("file", absolutePath),
  })),
  ({ file, snapshot }, node) => {
    if (file !== undefined && snapshot !== undefined && snapshot !== "external")
      throw notUnderstood({ node }, `memory filename '${file}' requires external snapshot`, "Leave it out.");
    if (file === undefined && snapshot === "external")
      throw notUnderstood({ node }, "external memory snapshots require a filename", "Write @file.");
  },
);

/** A domain without its definition, as snapshots of old versions of libvirt have it. */
const bare = element("domain", () => ({ uuid: required(textOf("uuid", uuid)) }));
type WrittenDomain = Omit<Domain, "uuid"> & { readonly uuid?: string };

/** The domain at the time of the snapshot. */
const whole: ElementForm<WrittenDomain | ValueOf<typeof bare>> = {
  tag: "domain",
  get variants() {
    return domain.variants;
  },
  parse: (node, faults) =>
    node.attributes.has("type") ? domain.parse(named(node), faults) : bare.parse(node, faults),
  format: (value) => ("type" in value ? formatIn("domain", value) : bare.format(value)),
};

/** The definition of a formerly running guest. */
const inactive: ElementForm<WrittenDomain> = {
  tag: "inactiveDomain",
  get variants() {
    return domain.variants;
  },
  parse: (node, faults) => domain.parse(named(node), faults),
  format: (value) => formatIn("inactiveDomain", value),
};

function named(node: XmlNode): XmlNode {
  return addPrefix(node, QEMU_NAMESPACE, "qemu");
}

function formatIn(tag: string, value: WrittenDomain): Draft {
  const draft = domain.format(value);
  if (value.qemuCommandline !== undefined) draft.attributes.set("xmlns:qemu", QEMU_NAMESPACE);
  return { ...draft, tag };
}

const disks = element("disks", () => ({ disks: children(disk) }));
const revertDisks = element("revertDisks", () => ({ disks: children(disk) }));

/** `<domainsnapshot>`, https://libvirt.org/formatsnapshot.html */
const snapshot = element("domainsnapshot", () => ({
  name: textOf("name", objectName),
  description: textOf("description", anyText),
  state: textOf(
    "state",
    oneOf(
      ...(["running", "blocked", "paused", "shutdown", "shutoff", "crashed"] as const),
      ...(["pmsuspended", "disk-snapshot"] as const),
    ),
  ),
  parent: child(element("parent", () => ({ name: required(textOf("name", objectName)) }))),
  creationTime: textOf("creationTime", integer(0, Number.MAX_SAFE_INTEGER)),
  memory: child(memory),
  disks: child(disks),
  revertDisks: child(revertDisks),
  domain: child(whole) as Field<WrittenDomain | ValueOf<typeof bare> | undefined>,
  inactiveDomain: child(inactive),
  cookie: kept("cookie"),
  active: textOf("active", integer(0, 1)),
}));

/** A snapshot of a domain, as its XML describes it. */
export type Snapshot = ValueOf<typeof snapshot>;
/** A disk in it. */
export type SnapshotDiskElement = ValueOf<typeof disk>;

/** Reads a `<domainsnapshot>` document. Throws "xml" and "unsupported", with the place. */
export function parseSnapshot(bytes: Uint8Array): Snapshot {
  const root = parseDocument(bytes);
  if (root.tag === snapshot.tag) return readWhole(snapshot, root);
  throw notUnderstood({ node: root }, "it is not a <domainsnapshot>", "Write the XML of a snapshot.");
}

/** Reads the text of a stored snapshot, as parseSnapshot() does. */
export function parseSnapshotText(xml: string): Snapshot {
  return parseSnapshot(new TextEncoder().encode(xml));
}

/** Returns the snapshot's XML in libvirt's layout. virDomainSnapshotDefFormat() of libvirt */
export function formatSnapshot(value: Snapshot): string {
  return formatDocument(snapshot.format(value));
}

/** Returns the definition of the domain at the time of a snapshot; undefined if its XML has none. */
export function definitionIn({ domain: at, inactiveDomain }: Snapshot): WrittenDomain | undefined {
  if (inactiveDomain !== undefined) return inactiveDomain;
  return at !== undefined && "type" in at ? at : undefined;
}

/** Whether a snapshot has images or memory in files of their own. virDomainSnapshotIsExternal() of libvirt */
export function isExternalSnapshot({ disks: list, memory: ram }: Snapshot): boolean {
  return (
    (ram !== undefined && (ram.snapshot === "external" || ram.file !== undefined)) ||
    (list?.disks ?? []).some((one) => one.snapshot === "external")
  );
}
