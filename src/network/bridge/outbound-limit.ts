import { limitOf } from "../bandwidth.ts";
import { limitTable, type TapTable } from "../filter/tap-rules.ts";
import type { Network } from "../forms/network.ts";
import type { BridgeMark } from "./host-bridge.ts";

/** Returns the limit of the frames from guests to the host and networks beyond it: a table of the bridge. Undefined: there is none. */
export function outboundLimit(
  { bandwidth }: Network,
  { name }: Pick<BridgeMark, "name">,
  uuid: string,
): TapTable | undefined {
  const limit = limitOf(bandwidth?.outbound);
  return limit === undefined ? undefined : { table: limitTable(uuid, name), tap: name, limit };
}
