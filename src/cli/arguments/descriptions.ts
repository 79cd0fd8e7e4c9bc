import { SvirtError } from "../../errors.ts";
import type { Call, Operand, Option } from "../command.ts";
import { onlyOne } from "./exclusive.ts";

/** Operand and options of commands about an application's data in the XML of a domain or network. */
export const URI_OPERAND: Operand = { name: "uri", summary: "URI of the namespace" };
export const METADATA_OPTIONS: readonly Option[] = [
  { name: "set", summary: "the new element", value: "XML" },
  { name: "key", summary: "prefix of the element; required with --set", value: "KEY" },
  { name: "remove", summary: "remove the element" },
];

/** A new element, or none to remove it, and what the command then prints. */
interface MetadataChange {
  readonly set: { readonly key: string; readonly xml: string } | undefined;
  readonly done: string;
}

/**
 * Returns the change that the options ask for; undefined to show the element. Throws "usage" for --set
 * without --key, or both changes.
 */
export function metadataChangeOf(call: Call): MetadataChange | undefined {
  const [key, xml] = [call.options.get("key"), call.options.get("set")];
  const change = onlyOne(call, ["set", "remove"]);
  if (change === undefined) return undefined;
  if (xml !== undefined && key === undefined)
    throw new SvirtError("namespace key is required when modifying metadata", {
      kind: "usage",
      remedy: "Give the prefix: --key KEY",
    });
  return {
    set: xml === undefined || key === undefined ? undefined : { key, xml },
    done: `Metadata ${change === "remove" ? "removed" : "modified"}`,
  };
}

/** Operand and option of commands about a description or title. */
export const NEW_TEXT_OPERAND: Operand = {
  name: "new-desc",
  summary: "the new text; an empty text removes it",
  isOptional: true,
  isRepeated: true,
};
export const TITLE_OPTION: Option = {
  name: "title",
  summary: "the title, a line, instead of the description",
};
