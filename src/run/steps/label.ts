import type { LabelStep } from "../../plan/steps/label.ts";
import { restoreFileLabel, setFileLabel } from "../labels/file-label.ts";
import { removeUdevRule, writeUdevRule } from "../labels/udev-rule.ts";
import type { Runs } from "./step-effects.ts";

/** Effects of the steps on labels of files. */
export const runLabel: Runs<LabelStep> = {
  "set-label": setFileLabel,
  "restore-label": restoreFileLabel,
  "write-udev-rule": ({ host }, step) => writeUdevRule(host, step),
  "remove-udev-rule": ({ host }, step) => removeUdevRule(host, step),
};
