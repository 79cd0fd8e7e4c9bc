import type { ObjectChange } from "../../plan/change/object-change.ts";
import type { Instance } from "../../state/instance.ts";
import { notePool } from "../../state/pools/pool-notes.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { hasFolder, hasFormattedDevice, supportedPool } from "../../storage/pool/rules/startable.ts";
import { poolWork, whileNoted } from "../object-change/noted-work.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { carryOutBuild, isSlowBuild, type PoolBuild, planBuild } from "./build-parts.ts";
import { findPool, inactivePool } from "./find-pool.ts";
import { refuseConflictNow } from "./new-pool.ts";
import { type StartOptions, withoutDevice } from "./open-target.ts";
import { refuseKey } from "./refuse-key.ts";
import { refuseChanged } from "./target-lock.ts";

/**
 * Makes the storage of an inactive pool: its folder, with the folders above it, or on its devices. On request
 * a device of a pool of type fs gets a file system. A folder that exists gets the permissions in the XML.
 * Throws "not-found", "wrong-state", "unsupported", "denied"; "in-use" for a folder that a guest uses.
 * storagePoolBuild() of libvirt
 */
export async function buildPool(
  instance: Instance,
  key: string,
  options: Pick<StartOptions, "formatting"> = {},
): Promise<StoredIdentity> {
  const build = buildOf(instance, key, options);
  const built = isSlowBuild(build)
    ? await whileNoted(
        instance,
        poolWork(instance, build.seen, { command: build.command, kind: "storage" }),
        async (note) => await carryOutBuild(instance, build, note),
      )
    : await carryOutBuild(instance, build);
  await changeStored(instance, () => notePool(instance, built, "created"));
  return built;
}

/** Returns the steps of buildPool(), and changes nothing. Throws its errors. */
export async function planPoolBuild(
  instance: Instance,
  key: string,
  options: Pick<StartOptions, "formatting">,
): Promise<ObjectChange | undefined> {
  return await planBuild(instance, buildOf(instance, key, options));
}

function buildOf(
  instance: Instance,
  key: string,
  { formatting }: Pick<StartOptions, "formatting">,
): PoolBuild {
  const { active, defined = active ?? "" } = findPool(instance, key);
  const seen = parsePoolText(defined);
  if (formatting !== undefined || !hasFolder(seen)) refuseKey(instance, seen);
  return {
    command: "pool-build",
    seen,
    formatting,
    choose() {
      const { defined: xml, name, uuid } = inactivePool(instance, key, "already");
      const pool = supportedPool(parsePoolText(xml), "build");
      refuseChanged(seen, pool);
      refuseConflictNow(instance, pool, { overwrites: formatting !== undefined || !hasFolder(pool) });
      if (formatting !== undefined && hasFolder(pool) && !hasFormattedDevice(pool)) throw withoutDevice(name);
      return { pool, name, uuid };
    },
  };
}
