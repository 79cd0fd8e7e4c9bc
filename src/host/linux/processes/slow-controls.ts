import { SvirtError } from "../../../errors.ts";
import type { ControlWrite, ProcessHost } from "../../processes.ts";
import { askChild, askChildBriefly } from "../mounts/ask-child.ts";

/** Implements the calls on files of the kernel that may keep a process waiting, in a child of svirt. */
export const slowControlCalls: Pick<ProcessHost, "writeControls" | "isReadable"> = {
  writeControls,
  isReadable,
};

async function writeControls(writes: readonly ControlWrite[], limitMs: number): Promise<void> {
  const attempt = writes.map(({ path, value }) => `write ${value.trim()} to ${path}`).join(", ");
  const { answer, child } = await askChild({ work: "write", writes }, attempt, limitMs);
  await child.end();
  if ("refused" in answer) throw new SvirtError(answer.refused.message, answer.refused);
}

async function isReadable(path: string, limitMs: number): Promise<boolean> {
  return await askChildBriefly({ work: "read", path }, limitMs);
}
