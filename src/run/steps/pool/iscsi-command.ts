import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { ProgramEnd } from "../../../host/processes.ts";
import type { IscsiTarget } from "../../../storage/pool/iscsi/target.ts";

/** Most time of a command of iscsiadm. It asks a silent target for minutes. */
const COMMAND_MS = 30_000;

/** Exit code for a target without a record or a session. ISCSI_ERR_NO_OBJS_FOUND of iscsiadm(8) */
export const NONE_FOUND = 21;
/** Exit code for a user or password that the target refuses. ISCSI_ERR_LOGIN_AUTH_FAILED of iscsiadm(8) */
const REFUSED = 24;
/** Reason in iscsiadm's messages; their last line may say less. iscsi_err_print_msg() of open-iscsi */
const REPORTED = /^iscsiadm: initiator reported error \(\d+ - (.+)\)$/m;

/** Command of iscsiadm for a target. */
export interface IscsiCommand {
  readonly target: IscsiTarget;
  readonly words: readonly string[];
}

/** Runs a command. Throws as checkEnd(). */
export async function runCommand(host: Host, attempt: string, command: IscsiCommand): Promise<void> {
  checkEnd(await endOf(host, command), attempt, command);
}

/** Runs a command and returns its end. */
export async function endOf(host: Host, { words }: IscsiCommand): Promise<ProgramEnd> {
  return await host.runProgram(words, COMMAND_MS);
}

/** Returns the exit code of an ended command. */
export function codeOf(end: ProgramEnd): number | undefined {
  return "code" in end ? end.code : undefined;
}

/** Throws the error of a command that has failed: "failed", "timeout"; "unsupported" without iscsiadm. */
export function checkEnd(end: ProgramEnd, attempt: string, { target, words }: IscsiCommand): void {
  if ("code" in end && end.code === 0) return;
  const command = words.join(" ");
  const message = `Cannot ${attempt} the iSCSI target ${target.name}`;
  if ("code" in end) {
    const why = reasonIn(end.errors) || `${command} failed with ${end.code}`;
    const isRefused = end.code === REFUSED;
    throw new SvirtError(`${message}: ${why}`, {
      kind: "failed",
      remedy: isRefused
        ? `Give the pool's secret the password that the target accepts, or write user and password into open-iscsi's record of it: ls {/etc,/var/lib}/iscsi/nodes/${target.name}`
        : `Load iscsi_tcp and start iscsid, then try it yourself: ${command}`,
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

function reasonIn(errors: string): string {
  return REPORTED.exec(errors)?.[1] ?? errors.trim().split("\n").at(-1) ?? "";
}
