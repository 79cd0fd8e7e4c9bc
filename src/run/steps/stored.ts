import type { Host } from "../../host/host.ts";
import { folderOf } from "../../plan/folder-of.ts";
import type { StoredStep } from "../../plan/steps/stored.ts";
import { removePart } from "../remove-text.ts";
import type { Runs } from "./step-effects.ts";

/** Folders and files of svirt's own are root's alone. */
const [FOLDER_MODE, FILE_MODE] = [0o700, 0o600];

/** Effects of the steps on files in which svirt stores objects. */
export const runStored: Runs<StoredStep> = {
  "replace-text": ({ host }, step) => replaceText(host, step),
  "set-mark": ({ host }, step) => setMark(host, step),
};

/** Reports whether a file has the content, or the mark is as, that the step wants. */
export function hasEffect(host: Host, step: StoredStep): boolean {
  if (step.do === "replace-text") return host.readText(step.path) === step.to;
  return isMarked(host, step.path) === step.isMarked;
}

/** A file that was changed or removed by hand since the plan was made stays as it is. */
function replaceText(
  host: Host,
  { from, path, to }: Extract<StoredStep, { readonly do: "replace-text" }>,
): void {
  const now = host.readText(path);
  // Writes an equal text again: the new file tells clients of events about a repeated definition.
  if (now === to && from !== to) {
    removePart(host, path);
    return;
  }
  if (now !== from) return;
  if (to === undefined) {
    host.removeFile(path);
    return;
  }
  host.makeFolder({ path: folderOf(path), mode: FOLDER_MODE });
  host.writeText(path, to, FILE_MODE);
}

function setMark(host: Host, step: Extract<StoredStep, { readonly do: "set-mark" }>): void {
  const { path, target } = step;
  if (isMarked(host, path) === step.isMarked) return;
  if (!step.isMarked) {
    host.removeFile(path);
    return;
  }
  host.makeFolder({ path: folderOf(path), mode: FOLDER_MODE });
  host.makeSymlink(path, target);
}

/** Reports whether there is a link of that path. Its definition may be missing. */
function isMarked(host: Host, path: string): boolean {
  return host.listFolder(folderOf(path)).includes(path.slice(path.lastIndexOf("/") + 1));
}
