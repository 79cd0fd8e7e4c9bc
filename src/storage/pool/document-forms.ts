import type { ElementForm } from "../../xml/declaration.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { addPrefix } from "../../xml/namespace.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { readWhole } from "../../xml/read-whole.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import type { PoolSpace } from "./document.ts";
import { poolForm, type WrittenPool } from "./forms/pool.ts";
import { keepPool, type Pool } from "./stored-pool.ts";

/** Namespaces of options of a pool's type. https://libvirt.org/formatstorage.html#storage-pool-namespaces */
const NAMESPACES = {
  fs: "http://libvirt.org/schemas/storagepool/fs/1.0",
  rbd: "http://libvirt.org/schemas/storagepool/rbd/1.0",
} as const;

/** Implements parsePool(). */
export function readPool(bytes: Uint8Array): Pool {
  const root = Object.entries(NAMESPACES).reduce(
    (node, [prefix, namespace]) => addPrefix(node, namespace, prefix),
    parseDocument(bytes),
  );
  if (root.tag === poolForm.tag) return keepPool(readWhole<WrittenPool>(poolForm, root));
  throw notUnderstood({ node: root }, "it is not a <pool>", "Give svirt the definition of a storage pool.");
}

/** Implements formatPool(). */
export function writePool(pool: Pool, space: PoolSpace): string {
  const form: ElementForm<WrittenPool> = poolForm;
  const draft = form.format({ ...pool, ...space });
  for (const [prefix, options] of [
    ["fs", pool.mountOptions],
    ["rbd", pool.rbdOptions],
  ] as const)
    if (options !== undefined) draft.attributes.set(`xmlns:${prefix}`, NAMESPACES[prefix]);
  return formatDocument(draft);
}
