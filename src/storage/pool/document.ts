import { readPlainFolder } from "./plain-folder.ts";
import type { Pool } from "./stored-pool.ts";

/** Space of a pool, in bytes. */
export interface PoolSpace {
  readonly capacityBytes: number;
  readonly allocationBytes: number;
  readonly availableBytes: number;
}

const NO_SPACE: PoolSpace = { capacityBytes: 0, allocationBytes: 0, availableBytes: 0 };

// The forms and the XML parser are loaded at first use: they take most of a command on a volume of a folder,
// which needs none.

/** Reads a `<pool>` document. Throws "xml" and "unsupported", with the places. */
export function parsePool(bytes: Uint8Array): Pool {
  const { readPool }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return readPool(bytes);
}

/** Reads the XML text of a definition, as parsePool() does. */
export function parsePoolText(xml: string): Pool {
  return readPlainFolder(xml) ?? parsePool(new TextEncoder().encode(xml));
}

/**
 * Returns the pool's XML in libvirt's layout; of an active pool with its space. virStoragePoolDefFormat() of
 * libvirt
 */
export function formatPool(pool: Pool, space: PoolSpace = NO_SPACE): string {
  const { writePool }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return writePool(pool, space);
}
