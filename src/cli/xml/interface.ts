import type { RateChange } from "../../vm/hotplug/bandwidth.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { readRates } from "../arguments/rate.ts";
import { makeDraft } from "./make-draft.ts";

/** Formats virsh's `<interface>` of its options. cmdAttachInterface() of libvirt's tools/virsh-domain.c */
export function formatInterfaceOptions(
  type: string,
  source: string,
  options: ReadonlyMap<string, string>,
): string {
  const draft = makeDraft("interface", { type });
  const add = (tag: string, attribute: string, value: string | undefined): void => {
    if (value !== undefined && value !== "") draft.children.push(makeDraft(tag, { [attribute]: value }));
  };
  if (type !== "ethernet") add("source", SOURCES.get(type) ?? "dev", source);
  const target = options.get("target");
  if (target !== undefined)
    draft.children.push(
      makeDraft("target", { dev: target, managed: managedWord(type, options.has("managed")) }),
    );
  add("mac", "address", options.get("mac"));
  add("model", "type", options.get("model"));
  add("alias", "name", options.get("alias"));
  const rates = Object.entries(readRates(options)).map(([side, rate]) =>
    makeDraft(side, rateAttributes(rate)),
  );
  if (rates.length > 0) draft.children.push({ ...makeDraft("bandwidth", {}), children: rates });
  return formatDocument(draft);
}

/** Returns the numbers other than 0, in virsh's order. */
function rateAttributes({ average, burst, floor, peak }: RateChange): Record<string, string> {
  const all = Object.entries({ average, peak, burst, floor });
  return Object.fromEntries(all.flatMap(([name, value]) => (value > 0 ? [[name, String(value)]] : [])));
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
