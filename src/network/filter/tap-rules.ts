import { type FrameFilter, formatFilter } from "./format-filter.ts";

/** Limit of the frames from a guest. */
interface RateLimit {
  readonly tap: string;
  readonly limit: { readonly bytesPerSecond: number; readonly burstBytes: number };
}

/**
 * Highest rate that the kernel accepts with every burst: it multiplies the bytes of a bucket by 1,000,000,000
 * in 64 bits, and a burst has 32. No tap is faster. nft_limit_init() of Linux
 */
const MOST_BYTES_PER_SECOND = Math.floor(2 ** 64 / 1e9) - (2 ** 32 - 1);

/** Rules for the frames of a tap, in a table of nft that belongs to the guest and the tap. */
export type TapTable = (FrameFilter | RateLimit) & { readonly table: string };

/** Returns the name of the table of a tap's filter. */
export function filterTable(uuid: string, tap: string): string {
  return `svirt_${uuid.replaceAll("-", "")}_${tap}`;
}

/** Returns the name of the table that limits the frames from a tap. */
export function limitTable(uuid: string, tap: string): string {
  return `svirt_limit_${uuid.replaceAll("-", "")}_${tap}`;
}

/** Returns the script for nft with new rules of a tap in place of its rules. */
export function formatTapRules(rules: TapTable): string {
  const lines = "limit" in rules ? formatLimit(rules) : formatFilter(rules);
  const table = `table netdev ${rules.table}`;
  // The removal of a missing table would be an error.
  return `add ${table}\ndelete ${table}\n${table} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

/**
 * Frames beyond the rate are dropped, before a filter sees them. At once as many pass as in a second, and the
 * burst of nft in addition. nft_limit_init() of Linux
 */
function formatLimit({ limit, tap }: RateLimit): readonly string[] {
  const rate = Math.min(limit.bytesPerSecond, MOST_BYTES_PER_SECOND);
  const more = Math.max(limit.burstBytes - rate, 0);
  return [
    "chain out {",
    `  type filter hook ingress device "${tap}" priority -10; policy accept;`,
    `  limit rate over ${rate} bytes/second burst ${more} bytes counter drop`,
    "}",
  ];
}
