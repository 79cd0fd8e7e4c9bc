import type { OwnerStep } from "../../plan/steps/owner.ts";
import { restoreOwner } from "../labels/file-owner.ts";
import type { Runs } from "./step-effects.ts";

/** Effects of the steps on owners of files. */
export const runOwner: Runs<OwnerStep> = {
  // The record of the step remembers the owner.
  "remember-owner": () => undefined,
  "restore-owner": ({ host }, step) => restoreOwner(host, step),
};
