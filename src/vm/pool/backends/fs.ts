import { END_MOUNTED } from "../mounted/end-mounted.ts";
import { planFileSystem } from "../mounted/plan-file-system.ts";
import { mountedStart } from "../mounted/start-mounted.ts";
import type { BuildPart, PoolBackend } from "./backend.ts";
import { MAKE_FOLDER, REMOVE_FOLDER } from "./folder.ts";

const MAKE_FILE_SYSTEM: BuildPart = {
  isHeld: false,
  overwrites: true,
  plan: (instance, pool, { formatting }) =>
    formatting === undefined ? [] : [planFileSystem(instance, pool, formatting)],
};

/** File system on a block device. */
export const fs = {
  isBuiltByStart: "never",
  build: (formatting) => (formatting === undefined ? [MAKE_FOLDER] : [MAKE_FOLDER, MAKE_FILE_SYSTEM]),
  start: mountedStart,
  end: END_MOUNTED,
  refresh: [],
  remove: REMOVE_FOLDER,
  findSources: "refused",
} as const satisfies PoolBackend;
