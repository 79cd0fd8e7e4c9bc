import { asSvirtError, SvirtError } from "../../../errors.ts";
import type { ControlWrite, ProcessHost } from "../../processes.ts";
import { isLocked } from "../files/lock.ts";
import { readText } from "../files/quick-files.ts";
import { askChild } from "../mounts/ask-child.ts";
import { getProcess } from "./process-facts.ts";

/** Implements the calls on files of the kernel that may keep a process waiting, in a child of svirt. */
export const slowControlCalls: Pick<ProcessHost, "writeControls" | "isReadable" | "findWaiting"> = {
  writeControls,
  isReadable,
  findWaiting,
};

async function writeControls(
  ...[writes, limitMs, lock]: Parameters<ProcessHost["writeControls"]>
): Promise<void> {
  const attempt = writes
    .map(({ path, value }: ControlWrite) => `write ${value.trim()} to ${path}`)
    .join(", ");
  const { answer, child } = await askChild({ work: "write", writes }, attempt, { limitMs, lock });
  await child.end();
  if ("refused" in answer) throw new SvirtError(answer.refused.message, answer.refused);
}

async function isReadable(...[path, limitMs, lock]: Parameters<ProcessHost["isReadable"]>): Promise<boolean> {
  try {
    const { child } = await askChild({ work: "read", path }, `read ${path}`, { limitMs, lock });
    await child.end();
    return true;
  } catch (error) {
    if (asSvirtError(error).kind === "timeout") return false;
    throw error;
  }
}

function findWaiting(lock: string): number | undefined {
  const pid = Number(readText(lock)?.trim() ?? "");
  // A child writes its number only after the former one has ended, so that an old number is of no process, or
  // of one that is not killed.
  return pid > 0 && isLocked(lock) && getProcess(pid)?.isEnding === true ? pid : undefined;
}
