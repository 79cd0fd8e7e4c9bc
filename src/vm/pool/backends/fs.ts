import { END_MOUNTED } from "../mounted/end-mounted.ts";
import { makeFileSystem } from "../mounted/make-file-system.ts";
import { startMounted } from "../mounted/start-mounted.ts";
import type { BuildWork, PoolBackend } from "./backend.ts";
import { MAKE_FOLDER, REMOVE_FOLDER } from "./folder.ts";

const MAKE_FILE_SYSTEM: BuildWork = {
  isHeld: false,
  overwrites: true,
  run: async (instance, pool, { formatting }) => {
    if (formatting !== undefined) await makeFileSystem(instance, pool, formatting);
  },
};

/** File system on a block device. */
export const fs = {
  isBuiltByStart: "never",
  build: (formatting) => (formatting === undefined ? [MAKE_FOLDER] : [MAKE_FOLDER, MAKE_FILE_SYSTEM]),
  start: startMounted,
  end: END_MOUNTED,
  refresh: [],
  remove: REMOVE_FOLDER,
  findSources: "refused",
} as const satisfies PoolBackend;
