import { brokenHeader } from "./header-bytes.ts";
import { ENTRY_BYTES, type ImageBytes, REFCOUNT_BYTES } from "./image-writes.ts";
import type { Qcow2Tables } from "./qcow2-tables.ts";

/** Most searched empty blocks at the end of the table. */
const MOST_BLOCKS = 64;

/**
 * Reference counts of an image's clusters. A block of counts is a cluster; a table has the blocks' places.
 */
export interface Refcounts {
  /** Number of counts in a block. */
  readonly byBlock: number;
  /** Number of entries of the table. */
  readonly entries: number;
  /** Returns the place of a block; undefined if there is none. Throws "failed" for an impossible place. */
  blockAt(block: number): number | undefined;
  /** Throws "failed" unless each of these clusters is counted once. */
  checkOnce(first: number, clusters: number): void;
  /** Returns the number of clusters up to the last used cluster. */
  countUsed(): number;
}

/** Reads the table of reference counts. Blocks are read when they are needed. */
export function readRefcounts(image: ImageBytes, { clusterBytes, refcounts }: Qcow2Tables): Refcounts {
  const table = image.read(refcounts.at, refcounts.clusters * clusterBytes);
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  const byBlock = clusterBytes / REFCOUNT_BYTES;
  const entries = table.length / ENTRY_BYTES;
  const blockAt = (block: number): number | undefined => {
    const at = block < entries ? Number(view.getBigUint64(block * ENTRY_BYTES)) : 0;
    if (at % clusterBytes !== 0 || at >= image.sizeBytes)
      throw brokenHeader("qcow2", `its reference counts ${block} are at ${at}`);
    return at === 0 ? undefined : at;
  };
  const countIn = (at: number, index: number): number => {
    const [high = 0, low = 0] = image.read(at + index * REFCOUNT_BYTES, REFCOUNT_BYTES);
    return high * 256 + low;
  };
  return {
    byBlock,
    entries,
    blockAt,
    checkOnce(first, clusters) {
      for (let cluster = first; cluster < first + clusters; cluster += 1) {
        const at = blockAt(Math.floor(cluster / byBlock));
        if (at === undefined || countIn(at, cluster % byBlock) !== 1)
          throw brokenHeader("qcow2", `the cluster ${cluster}, which is of a table, is not counted once`);
      }
    },
    countUsed() {
      let searched = 0;
      for (let block = entries - 1; block >= 0; block -= 1) {
        const at = blockAt(block);
        if (at === undefined) continue;
        const last = image.read(at, clusterBytes).findLastIndex((byte) => byte !== 0);
        if (last >= 0) return block * byBlock + Math.floor(last / REFCOUNT_BYTES) + 1;
        searched += 1;
        // Taken as used: only a lying image has more empty blocks.
        if (searched === MOST_BLOCKS) return block * byBlock;
      }
      return 0;
    },
  };
}
