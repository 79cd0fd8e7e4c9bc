import { formatNodesOf } from "../../xml/xpath/format-nodes-of.ts";
import type { Call, Option } from "../command.ts";

/** Options of commands that print XML. */
export const XPATH_OPTIONS: readonly Option[] = [
  {
    name: "xpath",
    value: "EXPRESSION",
    summary: "print only the nodes that this path selects: //mac/@address",
  },
  { name: "wrap", summary: "with --xpath: in one element <nodes>" },
];

/** Prints XML, or the nodes of it that `--xpath` selects. Throws as formatNodesOf(). virshDumpXML() of libvirt's tools/virsh-util.c */
export function printXml({ options, output }: Pick<Call, "options" | "output">, xml: string): void {
  const expression = options.get("xpath");
  if (expression === undefined) {
    output.print(`${xml}\n`);
    return;
  }
  const lines = formatNodesOf(xml, expression, options.has("wrap"));
  output.print(`${lines.map((line) => `${line}\n`).join("")}\n`);
}
