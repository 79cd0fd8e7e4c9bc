import { parseDocument } from "../parse-document.ts";
import { formatSelected, formatWrapped } from "./format-selected.ts";
import { selectNodes } from "./select.ts";

/** Formats the nodes that an expression selects in a document, each for itself, or all in one `<nodes>`. Throws as selectNodes() and parseDocument(). */
export function formatNodesOf(xml: string, expression: string, isWrapped: boolean): readonly string[] {
  const nodes = selectNodes(parseDocument(new TextEncoder().encode(xml)), expression);
  return isWrapped ? [formatWrapped(nodes)] : nodes.map(formatSelected);
}
