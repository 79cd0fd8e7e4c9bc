import type { Host } from "../../host/host.ts";
import type { FolderStep } from "../../plan/steps/folder.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import type { Runs } from "./step-effects.ts";

/** Only the owner may enter the folder. */
const MODE = 0o700;

/** Effects of the steps on folders of svirt. */
export const runFolder: Runs<FolderStep> = {
  "make-folder": ({ host }, step) => host.makeFolder(step),
  "remove-folder": ({ host }, { isMounted, path }) => host.removeFolder(path, isMounted),
  "make-link": ({ host }, { path, target }) => host.makeSymlink(path, target),
  "assign-folder": ({ host }, step) => assignFolder(host, step),
  "reclaim-folder": ({ host }, step) => reclaimFolder(host, step),
};

/** Gives the folder to the guest's user. It is created if missing. */
function assignFolder(host: Host, { label, path, uid }: StepOf<"assign-folder">): void {
  host.makeFolder({ path, mode: MODE, uid: 0 });
  host.assignFolder(path, { uid, ...(label === undefined ? {} : { label }) });
}

/**
 * Makes root the owner of the folder again, and resets its mode, which its user may have changed. A missing
 * folder is left alone.
 */
function reclaimFolder(host: Host, { label, path }: StepOf<"reclaim-folder">): void {
  if (host.inspectFile(path)?.type !== "folder") return;
  host.assignFolder(path, { uid: 0, mode: MODE, ...(label === undefined ? {} : { label }) });
}
