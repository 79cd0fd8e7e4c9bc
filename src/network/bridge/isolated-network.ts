import type { Network } from "../forms/network.ts";
import { chain, formatBlock, LAYERS, tableOf } from "./nft-table.ts";

// Rule: An isolated network forwards no packet, in either direction.

/**
 * Drops in both directions: also packets accepted by another network's rules, since acceptance ends only the
 * other's chain. nft(8)
 */
export function formatIsolation({ bridge }: Network, uuid: string): string {
  const name = bridge?.name ?? "";
  return Object.values(LAYERS)
    .map((layer) =>
      formatBlock(
        `table ${layer} ${tableOf(uuid)}`,
        chain("forward", "type filter hook forward priority 0; policy accept;", [
          `iifname "${name}" oifname "${name}" counter accept`,
          `oifname "${name}" counter drop`,
          `iifname "${name}" counter drop`,
        ]),
      ),
    )
    .join("");
}
