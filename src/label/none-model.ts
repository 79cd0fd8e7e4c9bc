import { SvirtError } from "../errors.ts";
import type { LabelDecision } from "./label-decision.ts";
import type { LabelModel } from "./label-model.ts";

/** Decision for an unconfined guest: nothing is labelled. */
export const UNCONFINED: LabelDecision = {
  model: "none",
  type: "none",
  relabel: false,
  label: undefined,
  imageLabel: undefined,
  folderLabel: undefined,
  sharedLabel: undefined,
  contentLabel: undefined,
  range: undefined,
  baseLabel: undefined,
};

/** Model of guests without a label, at the administrator's permission: labelling/guest-label.ts. */
export const none: LabelModel<undefined> = {
  name: "none",
  isAvailable: () => true,
  unavailable: () => {
    throw new Error("a guest can always run without a label");
  },
  levelFor: () => undefined,
  decide({ type }) {
    if (type === "none") return UNCONFINED;
    throw new SvirtError(`Cannot give the guest a ${type} label: the label model none has no labels`, {
      kind: "unsupported",
      remedy: "Write type='none' if the guest is to run unconfined.",
    });
  },
  recall: () => UNCONFINED,
  files: undefined,
  verify: () => undefined,
  describe: () => ({ model: "none", doi: "0", baseLabels: new Map() }),
};
