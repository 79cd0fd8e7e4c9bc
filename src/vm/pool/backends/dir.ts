import type { Instance } from "../../../state/instance.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import type { PoolBackend } from "./backend.ts";
import { MAKE_FOLDER, REMOVE_FOLDER } from "./folder.ts";

/**
 * Folder of libvirt's packages. virt-install starts a pool there, without a build, for its uploaded kernel.
 */
const BOOT_FOLDER = "/var/lib/libvirt/boot";

/** Folder of the host. */
export const dir = {
  isBuiltByStart: needsBootFolder,
  build: () => [MAKE_FOLDER],
  start: { check: undefined },
  end: "holds nothing",
  refresh: [],
  remove: REMOVE_FOLDER,
  findSources: "refused",
} as const satisfies PoolBackend;

function needsBootFolder({ host }: Instance, { target }: Pool): boolean {
  return target?.path === BOOT_FOLDER && host.inspectFile(BOOT_FOLDER) === undefined;
}
