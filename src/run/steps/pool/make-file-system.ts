import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { ProgramEnd } from "../../../host/processes.ts";
import type { StepOf } from "../../../plan/steps/step.ts";

/** Most time of a program. It may discard the content of a large device. */
const PROGRAM_MS = 4 * 3_600_000;

/** Makes a file system on a device. Throws "failed" with the last message of the program. */
export async function makeFileSystem(
  host: Host,
  { device, type, words }: StepOf<"make-file-system">,
): Promise<void> {
  const end = await host.runProgram(words, PROGRAM_MS);
  if ("code" in end && end.code === 0) return;
  throw new SvirtError(
    `Failed to make filesystem of type '${type}' on device '${device.path}': ${reasonOf(words[0] ?? "", end)}`,
    { kind: "failed", remedy: `Run it yourself and read its message: ${words.join(" ")}` },
  );
}

function reasonOf(program: string, end: ProgramEnd): string {
  if ("code" in end) return end.errors.trim().split("\n").at(-1) || `${program} failed with ${end.code}`;
  const faults = { timeout: "took too long", missing: "is missing", denied: "is not permitted" } as const;
  return `${program} ${faults[end.fault]}`;
}
