import { planTarget } from "../make-target.ts";
import { planFolderRemoval } from "../remove-folder.ts";
import type { BuildPart, Removal } from "./backend.ts";

/** Makes the folder of a pool. */
export const MAKE_FOLDER: BuildPart = {
  isHeld: true,
  overwrites: false,
  plan: (instance, pool, { held }) => planTarget(instance, pool, held),
};

/** Removes the folder of a pool, if it is empty. */
export const REMOVE_FOLDER: Removal = { isHeld: true, plan: planFolderRemoval };
