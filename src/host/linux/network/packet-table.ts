import { record } from "../calls/byte-records.ts";
import { ENOENT, EOPNOTSUPP, EPROTONOSUPPORT } from "../calls/errno.ts";
import { cString, hostCallError } from "../calls/libc.ts";
import { attribute, tellBatch } from "./netlink.ts";

/** linux/netfilter.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h */
const NFPROTO_NETDEV = 5;
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFT_MSG_DELTABLE = 2;
const NFTA_TABLE_NAME = 1;

/** Errors for a missing table, and of a kernel without tables. */
const MISSING: ReadonlySet<number> = new Set([ENOENT, EOPNOTSUPP, EPROTONOSUPPORT]);

/**
 * Implements Host.removeTapTable by the messages of `nft delete table netdev NAME`. nf_tables_deltable() of
 * Linux
 */
export function removeTapTable(table: string): void {
  const errno = tellBatch([
    { type: NFNL_MSG_BATCH_BEGIN, head: batchHead(), attributes: [] },
    {
      type: NFNL_SUBSYS_NFTABLES * 256 + NFT_MSG_DELTABLE,
      head: record([8, NFPROTO_NETDEV], [8, 0], [16, 0]),
      attributes: [attribute(NFTA_TABLE_NAME, cString(table))],
    },
    { type: NFNL_MSG_BATCH_END, head: batchHead(), attributes: [] },
  ]);
  if (errno === 0 || MISSING.has(errno)) return;
  throw hostCallError(`remove the table ${table} of the packet filter`, errno);
}

/** Formats struct nfgenmsg of a batch: family, version, and the subsystem as a big-endian number. */
function batchHead(): Uint8Array {
  return record([8, 0], [8, 0], [8, 0], [8, NFNL_SUBSYS_NFTABLES]);
}
