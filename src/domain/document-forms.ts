import { type SvirtError, throwErrors } from "../errors.ts";
import { inDocumentOrder, locate } from "../xml/document-order.ts";
import { type Draft, emptyDraft, textDraft } from "../xml/draft.ts";
import { Faults, readWith } from "../xml/faults.ts";
import { formatDocument } from "../xml/format-document.ts";
import { addPrefix } from "../xml/namespace.ts";
import { parseDocument } from "../xml/parse-document.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { type Domain, domain } from "./domain.ts";
import { DEFAULT_MODEL, type LabelModelName } from "./forms/label-model.ts";
import { type LiveDevices, showDevices } from "./live-devices.ts";
import { guestSeclabel } from "./machine/guest-seclabel.ts";
import { QEMU_NAMESPACE } from "./machine/qemu-commandline.ts";
import type { Seclabel } from "./machine/seclabel.ts";

/** Facts of a running guest that its XML shows in addition to its definition. */
export interface LiveFacts extends LiveDevices {
  readonly id: number;
  /** Label model of the running guest. */
  readonly model: LabelModelName;
  /** `undefined` for a guest without a label. */
  readonly label?: string;
  readonly imageLabel?: string;
}

/** Implements parseDomain() of document.ts with the forms of all elements. */
export function readDomain(bytes: Uint8Array, spareUuid?: string): Domain {
  const { domain: read, errors } = inspectDomain(bytes, spareUuid);
  throwErrors(errors);
  if (read === undefined) throw new Error("a domain is neither read nor refused");
  return read;
}

/** Readable part of a document, and all its refusals. */
export interface InspectedDomain {
  /** Domain without unknown and refused parts; undefined if a refused part is mandatory. */
  readonly domain: Domain | undefined;
  /** Whether the domain lacks no known part and does not contradict itself. */
  readonly isWhole: boolean;
  /** Refusals in the order of the document. */
  readonly errors: readonly SvirtError[];
  /** Returns the errors in the order of the document, each once. */
  sort(errors: readonly SvirtError[]): readonly SvirtError[];
  /** Returns the path in the document for a path in the domain, which may lack some devices. */
  locate(place: string): string;
}

/**
 * Reads a document and collects its refusals. Throws "xml" if the document is not XML or not a `<domain>`.
 */
export function inspectDomain(bytes: Uint8Array, spareUuid?: string): InspectedDomain {
  const root = addPrefix(parseDocument(bytes), QEMU_NAMESPACE, "qemu");
  if (root.tag !== domain.tag) {
    throw notUnderstood({ node: root }, "it is not a <domain>", "Give svirt the definition of a domain.");
  }
  const faults = new Faults();
  const read = readWith(faults, () => {
    const value = domain.parse(root, faults);
    const uuid = value.uuid ?? spareUuid;
    if (uuid === undefined)
      throw notUnderstood({ node: root, place: "uuid" }, "it is missing", "Write uuid there.");
    return { ...value, uuid };
  });
  const sort = (errors: readonly SvirtError[]): readonly SvirtError[] => inDocumentOrder(errors, root);
  return {
    domain: read,
    isWhole: faults.isWhole,
    errors: sort(faults.errors),
    sort,
    locate: (place) => locate(place, root, faults.leftOut),
  };
}

/** Implements formatDomain() of document.ts. */
export function writeDomain(value: Domain, live?: LiveFacts): string {
  const draft = domain.format(value);
  if (value.qemuCommandline !== undefined) draft.attributes.set("xmlns:qemu", QEMU_NAMESPACE);
  if (live !== undefined) addLiveFacts(draft, guestSeclabel(value.seclabels), live);
  return formatDocument(draft);
}

function addLiveFacts(draft: Draft, seclabel: Seclabel, live: LiveFacts): void {
  draft.attributes.set("id", String(live.id));
  showDevices(draft, live);
  if (live.label === undefined) {
    nameModel(draft);
    return;
  }
  const shown = emptyDraft("seclabel");
  shown.attributes.set("type", seclabel.type);
  shown.attributes.set("model", live.model);
  shown.attributes.set("relabel", live.imageLabel === undefined ? "no" : "yes");
  shown.children.push(textDraft("label", live.label));
  if (live.imageLabel !== undefined) shown.children.push(textDraft("imagelabel", live.imageLabel));
  if (seclabel.type === "dynamic" && seclabel.baselabel !== undefined) {
    shown.children.push(textDraft("baselabel", seclabel.baselabel));
  }
  const written = draft.children.findIndex(
    (child) => typeof child !== "string" && isOfModel(child, live.model),
  );
  draft.children.splice(written === -1 ? draft.children.length : written, written === -1 ? 0 : 1, shown);
}

/**
 * Names the model in the `<seclabel>` of an unconfined guest. libvirt shows the model without a label, not
 * none.
 */
function nameModel(draft: Draft): void {
  for (const child of draft.children) {
    if (typeof child === "string" || child.tag !== "seclabel") continue;
    if (child.attributes.get("model") === "none") child.attributes.set("model", DEFAULT_MODEL);
  }
}

function isOfModel(child: Draft, model: LabelModelName): boolean {
  return child.tag === "seclabel" && (child.attributes.get("model") ?? DEFAULT_MODEL) === model;
}
