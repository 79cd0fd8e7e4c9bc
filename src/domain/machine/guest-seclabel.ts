import { DEFAULT_MODEL, isModelOf, LABEL_MODELS, type LabelModelName } from "../forms/label-model.ts";
import type { Seclabel } from "./seclabel.ts";

/**
 * Returns the seclabel that decides the guest's label, the first of a label model; the default is dynamic.
 */
export function guestSeclabel(labels: readonly Seclabel[]): Seclabel {
  return labels.find(({ model }) => isModelOf(LABEL_MODELS, model)) ?? { type: "dynamic" };
}

/** Returns the deciding model: a guest without a label has the model `none`, whatever its XML names. */
export function modelOf({ model, type }: Seclabel): LabelModelName {
  if (type === "none") return "none";
  return model === undefined || model === "none" || model === "dac" ? DEFAULT_MODEL : model;
}
