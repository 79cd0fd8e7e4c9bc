import { SvirtError, unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import type { StoredXml } from "../../state/xml-store.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { selectStored } from "../stored/select-stored.ts";
import { findPool } from "./find-pool.ts";

/**
 * Returns the active pool with this target path, written as in the pool's XML but for repeated slashes.
 * Throws "not-found" with libvirt's message. storagePoolLookupByTargetPath() of libvirt
 */
export function lookUpPoolAt(instance: Instance, path: string): StoredXml {
  const wanted = cleaned(path);
  const found = selectStored(poolStore, instance, {
    filter: { active: true },
    wantsUuids: false,
  }).find(({ name }) => cleaned(targetOf(instance, name) ?? "") === wanted);
  if (found !== undefined) return findPool(instance, found.name);
  throw new SvirtError(`Storage pool not found: no storage pool with matching target path '${path}'`, {
    kind: "not-found",
    libvirt: "NO_STORAGE_POOL",
    remedy: "svirt pool-dumpxml POOL shows the target of a pool.",
  });
}

function targetOf(instance: Instance, name: string): string | undefined {
  return unlessRefused(() => parsePoolText(poolStore.read(instance, name)?.active ?? "").target?.path);
}

/** Returns a path with single slashes and none at its end. virFileSanitizePath() of libvirt */
function cleaned(path: string): string {
  const single = path.replace(/\/+/g, "/");
  return single.length > 1 && single.endsWith("/") ? single.slice(0, -1) : single;
}
