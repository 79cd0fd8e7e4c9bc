import type { Host } from "../host/host.ts";
import type { StepOf } from "../plan/steps/step.ts";

/** Returns the step that replaces the text of a file, or removes the file if there is no new text. */
export function replaceStep(host: Host, path: string, to: string | undefined): StepOf<"replace-text"> {
  const from = host.readText(path);
  return {
    do: "replace-text",
    path,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}
