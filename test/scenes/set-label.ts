import { type LabelChange, setLabels } from "../../src/labelling/set-label.ts";
import type { Instance } from "../../src/state/instance.ts";

/** Sets the label of a single file. Throws its error. */
export async function setLabel(
  instance: Instance,
  { isDryRun, path }: { readonly path: string; readonly isDryRun: boolean },
  context: string,
): Promise<LabelChange | undefined> {
  const { done, errors } = await setLabels(instance, { paths: [path], isDryRun }, context);
  if (errors[0] !== undefined) throw errors[0];
  return done[0];
}
