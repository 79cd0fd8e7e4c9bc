import { type Draft, emptyDraft, textDraft } from "../xml/draft.ts";
import { formatDocument } from "../xml/format-document.ts";
import { withPrefix } from "../xml/namespace.ts";
import { parseDocument } from "../xml/parse-document.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { type Domain, domain } from "./domain.ts";
import { type LiveDevices, showDevices } from "./live-devices.ts";
import { QEMU_NAMESPACE } from "./machine/qemu-commandline.ts";
import type { Seclabel } from "./machine/seclabel.ts";
import { selinuxSeclabel } from "./machine/selinux-seclabel.ts";

/** What a running guest's XML shows besides its definition. */
export interface LiveFacts extends LiveDevices {
  readonly id: number;
  /** `undefined` for a guest without a label. */
  readonly label?: string;
  readonly imageLabel?: string;
}

/** parseDomain() of document.ts, by the forms of all elements. */
export function readDomain(bytes: Uint8Array, spareUuid?: string): Domain {
  const root = withPrefix(parseDocument(bytes), QEMU_NAMESPACE, "qemu");
  if (root.tag !== domain.tag) {
    throw notUnderstood({ node: root }, "it is not a <domain>", "Give svirt the definition of a domain.");
  }
  const value = domain.parse(root);
  const uuid = value.uuid ?? spareUuid;
  if (uuid === undefined)
    throw notUnderstood({ node: root, place: "uuid" }, "it is missing", "Write uuid there.");
  return { ...value, uuid };
}

/** formatDomain() of document.ts. */
export function writeDomain(value: Domain, live?: LiveFacts): string {
  const draft = domain.format(value);
  if (value.qemuCommandline !== undefined) draft.attributes.set("xmlns:qemu", QEMU_NAMESPACE);
  if (live !== undefined) addLiveFacts(draft, selinuxSeclabel(value.seclabels), live);
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
  shown.attributes.set("model", "selinux");
  shown.attributes.set("relabel", live.imageLabel === undefined ? "no" : "yes");
  shown.children.push(textDraft("label", live.label));
  if (live.imageLabel !== undefined) shown.children.push(textDraft("imagelabel", live.imageLabel));
  if (seclabel.type === "dynamic" && seclabel.baselabel !== undefined) {
    shown.children.push(textDraft("baselabel", seclabel.baselabel));
  }
  const written = draft.children.findIndex((child) => typeof child !== "string" && isSelinux(child));
  draft.children.splice(written === -1 ? draft.children.length : written, written === -1 ? 0 : 1, shown);
}

/** Of a guest that runs unconfined: which model does not confine it. */
function nameModel(draft: Draft): void {
  for (const child of draft.children) {
    if (typeof child === "string" || child.tag !== "seclabel") continue;
    if (child.attributes.get("model") === "none") child.attributes.set("model", "selinux");
  }
}

function isSelinux(child: Draft): boolean {
  return child.tag === "seclabel" && (child.attributes.get("model") ?? "selinux") === "selinux";
}
