import type { LabelModelName } from "../domain/forms/label-model.ts";
import type { LabelModel } from "./label-model.ts";
import { none } from "./none-model.ts";
import { selinux } from "./selinux-model.ts";

/** Label model without the methods based on facts of the host. */
type FactlessModel = Omit<LabelModel<never>, "levelFor" | "decide" | "recall" | "describe">;

const MODELS: Readonly<Record<LabelModelName, FactlessModel>> = { selinux, none };

/** Returns the label model by name. */
export function labelModel(name: LabelModelName): FactlessModel {
  return MODELS[name];
}
