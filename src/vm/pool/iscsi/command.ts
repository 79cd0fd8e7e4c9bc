import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { ProgramEnd } from "../../../host/processes.ts";
import type { IscsiTarget } from "../../../storage/pool/iscsi/target.ts";

/** Most time of one command of iscsiadm. It asks a target that does not answer for minutes. */
const COMMAND_MS = 30_000;

/** Command of iscsiadm for a target. */
export interface IscsiCommand {
  readonly target: IscsiTarget;
  readonly words: readonly string[];
}

/** Runs a command. Throws as checkEnd(). */
export function runCommand(host: Host, attempt: string, command: IscsiCommand): void {
  checkEnd(endOf(host, command), attempt, command);
}

/** Runs a command and returns its end. */
export function endOf(host: Host, { words }: IscsiCommand): ProgramEnd {
  return host.runProgram(words, COMMAND_MS);
}

/** Returns the exit code of a command that has run. */
export function codeOf(end: ProgramEnd): number | undefined {
  return "code" in end ? end.code : undefined;
}

/** Throws the error of a command that has failed: "failed", "timeout"; "unsupported" without iscsiadm. */
export function checkEnd(end: ProgramEnd, attempt: string, { target, words }: IscsiCommand): void {
  if ("code" in end && end.code === 0) return;
  const command = words.join(" ");
  const message = `Cannot ${attempt} the iSCSI target ${target.name}`;
  if ("code" in end) {
    const why = end.errors.trim().split("\n").at(-1) || `${command} failed with ${end.code}`;
    throw new SvirtError(`${message}: ${why}`, {
      kind: "failed",
      remedy: `Load iscsi_tcp and start iscsid, then try it yourself: ${command}`,
    });
  }
  if (end.fault === "timeout")
    throw new SvirtError(`${message}: iscsiadm did not end within ${COMMAND_MS / 1000} s`, {
      kind: "timeout",
      remedy: `Check the portal ${target.portal}, then repeat the command.`,
    });
  throw new SvirtError(
    `${message}: ${words[0]} is ${end.fault === "missing" ? "missing" : "not permitted"}`,
    {
      kind: "unsupported",
      remedy: end.fault === "missing" ? "Install open-iscsi." : `Run it yourself: ${command}`,
    },
  );
}
