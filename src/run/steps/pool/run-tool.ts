import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";

/**
 * Most time of a command. It waits for the disks of the host, and an interrupted command is repaired by the
 * next.
 */
const COMMAND_MS = 60_000;

/** Most lines of a program's messages in a message of svirt's. */
const MOST_LINES = 4;

/** Debian's package of each program for storage changes. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ["/usr/sbin/lvm", "lvm2"],
  ["/usr/sbin/sfdisk", "fdisk"],
  ["/usr/bin/partx", "util-linux"],
]);

/** Command of a program for storage changes, and its attempt for messages. */
export interface ToolCommand {
  readonly words: readonly string[];
  readonly attempt: string;
  readonly input?: string;
}

/**
 * Runs a program of the host that changes storage. Throws "failed" with its last messages, "timeout";
 * "unsupported" if it is missing or not permitted.
 */
export async function runTool(host: Host, { attempt, input, words }: ToolCommand): Promise<void> {
  const end = await host.runProgram(words, COMMAND_MS, input);
  if ("code" in end && end.code === 0) return;
  const [program = ""] = words;
  const command = words.join(" ");
  const message = `Cannot ${attempt}`;
  if ("code" in end)
    throw new SvirtError(`${message}: ${reasonOf(end.errors) || `${command} failed with ${end.code}`}`, {
      kind: "failed",
      remedy: `Remove the cause, or run it yourself: ${command}`,
    });
  if (end.fault === "timeout")
    throw new SvirtError(`${message}: ${program} did not end within ${COMMAND_MS / 1000} s`, {
      kind: "timeout",
      remedy: "Check that the disks of the host answer, then repeat the command.",
    });
  const isMissing = end.fault === "missing";
  throw new SvirtError(`${message}: ${program} is ${isMissing ? "missing" : "not permitted"}`, {
    kind: "unsupported",
    remedy: isMissing ? `Install ${PACKAGES.get(program) ?? program}.` : `Run it yourself: ${command}`,
  });
}

/** Returns the last messages without warnings: LVM explains an error in several lines. */
function reasonOf(errors: string): string {
  const lines = errors.split("\n").map((line) => line.trim());
  const reasons = lines.filter((line) => line !== "" && !line.startsWith("WARNING:"));
  return reasons.slice(-MOST_LINES).join(" ");
}
