import { type EachPath, forEachPath } from "../../labelling/for-each-path.ts";
import { releaseLabels } from "../../labelling/release-label.ts";
import { type LabelChange, restoreLabels, setLabels } from "../../labelling/set-label.ts";
import { type LabelFacts, showLabel } from "../../labelling/show-label.ts";
import { readFileContexts } from "../../report/default-labels.ts";
import type { Instance } from "../../state/instance.ts";

/** Files to label, or only considered. */
interface Files {
  readonly paths: readonly string[];
  readonly isDryRun: boolean;
}

/** Returns the facts about each file's label. A file that fails does not stop the others. */
export function showFileLabels(instance: Instance, paths: readonly string[]): EachPath<LabelFacts> {
  const contexts = readFileContexts(instance.host);
  return forEachPath(paths, (path) => showLabel(instance, path, contexts));
}

/**
 * Sets the label of files, which they also get back after a guest has used them. Throws as setLabels()
 * does. A file that fails does not stop the others.
 */
export async function setFileLabels(
  instance: Instance,
  files: Files,
  context: string,
): Promise<EachPath<LabelChange>> {
  return await setLabels(instance, files, context);
}

/**
 * Restores the remembered labels of files, or the policy's default. A file that fails does not stop the
 * others.
 */
export async function restoreFileLabels(instance: Instance, files: Files): Promise<EachPath<LabelChange>> {
  return await restoreLabels(instance, files, readFileContexts(instance.host));
}

/** Removes the marks of another machine from files. A file that fails does not stop the others. */
export async function releaseFileLabels(
  instance: Instance,
  files: Files & { readonly machine: string },
): Promise<EachPath<LabelChange>> {
  return await releaseLabels(instance, files, readFileContexts(instance.host));
}
