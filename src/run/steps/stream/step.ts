import type { Host } from "../../../host/host.ts";
import type { StreamStep } from "../../../plan/steps/stream.ts";
import type { Progress } from "../../actor.ts";
import { CHANGE_TIMEOUT_MS, converse } from "../../monitor/converse.ts";
import { dumpMemory } from "./dump-memory.ts";
import { cancelSave, loadMemory, saveMemory } from "./save-memory.ts";
import { dropScreen, takeScreenshot } from "./take-screenshot.ts";

/** Carries out a step on a guest's state. Throws the errors of the host. */
export async function runStreamStep(
  { host, onProgress }: { readonly host: Host; readonly onProgress?: Progress },
  step: StreamStep,
): Promise<void> {
  switch (step.do) {
    case "expect-file":
    case "remove-file":
      return host.removeFile(step.path);
    case "keep-file":
      return keepFile(host, step);
    case "pause":
      return step.wasRunning ? await tell(host, step.monitor, "stop") : undefined;
    case "unpause":
      return await tell(host, step.monitor, "cont");
    case "reset":
      return await tell(host, step.monitor, "system_reset");
    case "save-memory":
      return await saveMemory(host, step, onProgress);
    case "cancel-save":
      return await cancelSave(host, step);
    case "dump-memory":
      return await dumpMemory(host, step, onProgress);
    case "take-screenshot":
      return await takeScreenshot(host, step);
    case "drop-screen":
      return await dropScreen(host, step);
    case "load-memory":
      return await loadMemory(host, step);
  }
}

/** Moves a file to its place. A missing one was moved before. */
function keepFile(host: Host, { from, to }: Extract<StreamStep, { do: "keep-file" }>): void {
  if (host.inspectFile(from) !== undefined) host.renameFile(from, to);
}

async function tell(host: Host, monitor: string, command: string): Promise<void> {
  await converse(host, { monitor, timeoutMs: CHANGE_TIMEOUT_MS }, (qemu) => qemu.execute(command));
}
