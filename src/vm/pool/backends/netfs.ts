import { END_MOUNTED } from "../mounted/end-mounted.ts";
import { findExports } from "../mounted/find-exports.ts";
import { mountedStart } from "../mounted/start-mounted.ts";
import type { PoolBackend } from "./backend.ts";
import { MAKE_FOLDER, REMOVE_FOLDER } from "./folder.ts";

/** Folder of a file server. */
export const netfs = {
  isBuiltByStart: "never",
  build: () => [MAKE_FOLDER],
  start: mountedStart,
  end: END_MOUNTED,
  refresh: [],
  remove: REMOVE_FOLDER,
  findSources: findExports,
} as const satisfies PoolBackend;
