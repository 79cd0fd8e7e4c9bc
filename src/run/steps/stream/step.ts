import type { Host } from "../../../host/host.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { StreamStep } from "../../../plan/steps/stream.ts";
import { withMonitorSocket } from "../../monitor/converse.ts";
import { CHANGE_TIMEOUT_MS } from "../../monitor/qmp-time-limits.ts";
import type { Runs } from "../step-effects.ts";
import { dumpMemory } from "./dump-memory.ts";
import { cancelSave, loadMemory, saveMemory } from "./save-memory.ts";
import { dropScreen, takeScreenshot } from "./take-screenshot.ts";

/** Effects of the steps on a guest's state. */
export const runStream: Runs<StreamStep> = {
  "expect-file": ({ host }, { path }) => host.removeFile(path),
  "remove-file": ({ host }, { path }) => host.removeFile(path),
  "keep-file": ({ host }, step) => keepFile(host, step),
  pause: ({ host }, { monitor, wasRunning }) => (wasRunning ? tell(host, monitor, "stop") : undefined),
  unpause: ({ host }, { monitor }) => tell(host, monitor, "cont"),
  reset: ({ host }, { monitor }) => tell(host, monitor, "system_reset"),
  "save-memory": ({ host, onProgress }, step) => saveMemory(host, step, onProgress),
  "cancel-save": ({ host }, step) => cancelSave(host, step),
  "dump-memory": ({ host, onProgress }, step) => dumpMemory(host, step, onProgress),
  "take-screenshot": ({ host }, step) => takeScreenshot(host, step),
  "drop-screen": ({ host }, step) => dropScreen(host, step),
  "load-memory": ({ host }, step) => loadMemory(host, step),
};

/** Moves a file to its place. A missing file has already been moved. */
function keepFile(host: Host, { from, to }: StepOf<"keep-file">): void {
  if (host.inspectFile(from) !== undefined) host.renameFile(from, to);
}

async function tell(host: Host, monitor: string, command: string): Promise<void> {
  await withMonitorSocket(host, { monitor, timeoutMs: CHANGE_TIMEOUT_MS }, (qemu) => qemu.execute(command));
}
