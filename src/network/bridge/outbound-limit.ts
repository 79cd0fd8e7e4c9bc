import { limitOf } from "../bandwidth.ts";
import { limitTable } from "../filter/tap-rules.ts";
import type { Network } from "../forms/network.ts";
import type { BridgeMark } from "./host-bridge.ts";

/** Table of the packet filter with a limit of the frames from a device. */
interface LimitTable {
  readonly table: string;
  readonly tap: string;
  readonly limit: { readonly bytesPerSecond: number; readonly burstBytes: number };
}

/**
 * Returns the limit of the frames from guests to the host and networks beyond it: a table of the bridge.
 * Undefined: there is none.
 */
export function outboundLimit(
  { bandwidth }: Network,
  { name }: Pick<BridgeMark, "name">,
  uuid: string,
): LimitTable | undefined {
  const limit = limitOf(bandwidth?.outbound);
  return limit === undefined ? undefined : { table: limitTable(uuid, name), tap: name, limit };
}
