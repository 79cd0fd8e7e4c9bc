import { formatDocument } from "../../xml/format-document.ts";
import { makeDraft } from "./make-draft.ts";

/** Formats the `<interface>` that virsh makes of its options. cmdAttachInterface() of libvirt's tools/virsh-domain.c */
export function formatInterfaceOptions(
  type: string,
  source: string,
  options: ReadonlyMap<string, string>,
): string {
  const draft = makeDraft("interface", { type });
  const add = (tag: string, attribute: string, value: string | undefined): void => {
    if (value !== undefined && value !== "") draft.children.push(makeDraft(tag, { [attribute]: value }));
  };
  add("mac", "address", options.get("mac"));
  if (type !== "ethernet") add("source", SOURCES.get(type) ?? "dev", source);
  const target = options.get("target");
  if (target !== undefined)
    draft.children.push(
      makeDraft("target", { dev: target, managed: managedWord(type, options.has("managed")) }),
    );
  add("model", "type", options.get("model"));
  add("alias", "name", options.get("alias"));
  return formatDocument(draft);
}

const SOURCES: ReadonlyMap<string, string> = new Map([
  ["network", "network"],
  ["bridge", "bridge"],
  ["direct", "dev"],
]);

/** Returns the value of `managed`: only a tap without a bridge may belong to another program. */
function managedWord(type: string, isManaged: boolean): string | undefined {
  if (type !== "ethernet") return undefined;
  return isManaged ? "yes" : "no";
}
