import { makeTarget } from "../make-target.ts";
import { removeFolder } from "../remove-folder.ts";
import type { BuildWork, RemoveWork } from "./backend.ts";

/** Makes the folder of a pool. */
export const MAKE_FOLDER: BuildWork = {
  isHeld: true,
  overwrites: false,
  run: (instance, pool, { held }) => makeTarget(instance, pool, held),
};

/** Removes the folder of a pool, if it is empty. */
export const REMOVE_FOLDER: RemoveWork = { isHeld: true, run: removeFolder };
