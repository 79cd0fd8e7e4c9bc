import type { Faults } from "../../xml/faults.ts";
import type { XmlNode } from "../../xml/node.ts";

/** `<domain>` under check, and the list of its faults; without a list the first fault is thrown. */
export interface CheckedDomain {
  readonly node: XmlNode;
  readonly faults: Faults | undefined;
}
