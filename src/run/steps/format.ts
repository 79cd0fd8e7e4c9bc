import type { FormatStep } from "../../plan/steps/format.ts";
import { setFormatMark } from "../labels/format-mark.ts";
import type { Runs } from "./step-effects.ts";

/** Effects of the steps on the formats of files. */
export const runFormat: Runs<FormatStep> = {
  "mark-format": ({ host }, { file: id, ...mark }) =>
    host.withAttributes(id, (file) => setFormatMark(host, { file, id }, mark)),
};
