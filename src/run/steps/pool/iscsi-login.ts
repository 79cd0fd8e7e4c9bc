import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import {
  addPassword,
  type ChapPassword,
  DATABASES,
  DRAFT_START,
  recordPath,
} from "../../../storage/pool/iscsi/record.ts";
import {
  type IscsiTarget,
  loginCommand,
  logoutCommand,
  recordCommands,
} from "../../../storage/pool/iscsi/target.ts";
import { checkEnd, codeOf, endOf, NONE_FOUND, runCommand } from "./iscsi-command.ts";

/** Exit code for a target with a session. ISCSI_ERR_SESS_EXISTS of iscsiadm(8) */
const SESSION_EXISTS = 15;
/** Only root reads a record. */
const MODE = 0o600;

/** Runs a command before a login. Throws as runCommand(). */
export async function prepareLogin(
  host: Host,
  { mayFail, portal, target: name, words }: StepOf<"prepare-login">,
): Promise<void> {
  const command = { target: { name, portal }, words };
  if (mayFail === true) await endOf(host, command);
  else await runCommand(host, "log in to", command);
}

/**
 * Logs in, or calls `onSession` if another program has. A present record keeps its password and settings: a
 * new record would replace them. Throws "failed", "timeout"; "unsupported" without iscsiadm.
 */
export async function logIn(host: Host, target: IscsiTarget, onSession?: () => void): Promise<void> {
  const login = { target, words: loginCommand(target) };
  let end = await endOf(host, login);
  if (codeOf(end) === NONE_FOUND) {
    for (const words of recordCommands(target)) await runCommand(host, "log in to", { target, words });
    end = await endOf(host, login);
  }
  if (codeOf(end) === SESSION_EXISTS) onSession?.();
  else checkEnd(end, "log in to", login);
}

/** Logs out. A target without a session is left alone. Throws as logIn(). */
export async function logOut(host: Host, target: IscsiTarget): Promise<void> {
  const logout = { target, words: logoutCommand(target) };
  const end = await endOf(host, logout);
  if (codeOf(end) !== NONE_FOUND) checkEnd(end, "log out of", logout);
}

/**
 * Writes the password into the record of a target. The new text is written beside the folder of the records,
 * since open-iscsi takes each file in it for a record, and then moved. Throws "unsupported" unless there is
 * one record.
 */
export function setPassword(host: Host, target: IscsiTarget, chap: ChapPassword): void {
  const found = DATABASES.flatMap((database) => {
    const path = recordPath(database, target);
    const text = host.readText(path);
    return text === undefined ? [] : [{ path, text, draft: `${database}/${DRAFT_START}${target.name}` }];
  });
  const [record, other] = found;
  if (record === undefined || other !== undefined)
    throw cannotLogIn(
      target,
      `open-iscsi has ${found.length} records of it`,
      `Remove all but the one that iscsiadm uses: ls {/etc,/var/lib}/iscsi/nodes/${target.name}`,
    );
  // Drafts of an interrupted call, with a password.
  for (const draft of [record.draft, `${record.draft}.new`]) host.removeFile(draft);
  const text = addPassword(record.text, chap);
  if (text === record.text) return;
  host.writeText(record.draft, text, MODE);
  host.renameFile(record.draft, record.path);
}

/** Returns the refusal of a login that needs a password. */
export function cannotLogIn({ name }: Pick<IscsiTarget, "name">, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot log in to the iSCSI target ${name}: ${why}`, {
    kind: "unsupported",
    place: "/pool/source/auth",
    remedy,
  });
}
