import type { XmlNode } from "../../xml/node.ts";
import type { UpdateCommand } from "./lists.ts";

/** Edit of an entry of a network. */
export interface Edit {
  readonly command: UpdateCommand;
  /** Entry to add, or to find. */
  readonly node: XmlNode;
  /** Number of the `<ip>` with the entry, from 0; undefined: the `<ip>` with DHCP, or the first. */
  readonly parentIndex: number | undefined;
  /** Guests' macvtaps by device, if the network is active. */
  readonly uses: ReadonlyMap<string, number>;
}
