import { isLabelModel } from "../forms/label-model.ts";
import type { Seclabel } from "./seclabel.ts";

/** Returns the seclabel that decides the guest's label, the first of a label model; the default is dynamic. */
export function guestSeclabel(labels: readonly Seclabel[]): Seclabel {
  return labels.find(({ model }) => isLabelModel(model)) ?? { type: "dynamic" };
}
