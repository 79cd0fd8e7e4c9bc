import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import { type FoundSecret, knownSecret, secretFor } from "../../../resolve/secrets/find-secret.ts";
import { usedValue } from "../../../resolve/secrets/used-value.ts";
import type { Instance } from "../../../state/instance.ts";
import {
  addPassword,
  type ChapPassword,
  DATABASES,
  fitsRecord,
  recordPath,
} from "../../../storage/pool/iscsi/record.ts";
import {
  type ChapLogin,
  hasPassword,
  ISCSIADM,
  type IscsiTarget,
  recordCommands,
  showCommand,
} from "../../../storage/pool/iscsi/target.ts";
import { NONE_FOUND, runCommand } from "./command.ts";

/** Only root reads a record. */
const MODE = 0o600;

/** Makes a record of a target, with the settings of iscsid.conf. */
export async function makeRecord(host: Host, target: IscsiTarget): Promise<void> {
  for (const words of recordCommands(target)) await runCommand(host, "log in to", { target, words });
}

/**
 * Gives the record of a target the user and the password of the pool's secret. Without the secret, the record
 * must have both. iscsiadm takes a password only as an argument, readable to any process of the host, so the
 * file is written instead. The caller holds the lock of the target. Throws "unsupported"; "not-found" for a
 * secret without a value. virStorageBackendISCSISetAuth() of libvirt
 */
export async function preparePassword(
  instance: Instance,
  target: IscsiTarget,
  login: ChapLogin,
): Promise<void> {
  const { host } = instance;
  const chap = chapPassword(instance, target, login);
  let record = await readRecordOf(host, target);
  if (record === undefined) await makeRecord(host, target);
  if (chap !== undefined) {
    writePassword(host, target, chap);
    record = undefined;
  }
  if (hasPassword(record ?? (await readRecordOf(host, target)) ?? "", login.user)) return;
  throw cannot(
    target,
    `open-iscsi has no password of the user ${login.user} for it`,
    `Define the pool's secret with its value, or write node.session.auth.authmethod = CHAP, .username and .password into its record, a file of root alone: ls {/etc,/var/lib}/iscsi/nodes/${target.name}`,
  );
}

/** Returns the user and password of the pool's secret; undefined if svirt has no such secret. */
function chapPassword(instance: Instance, target: IscsiTarget, login: ChapLogin): ChapPassword | undefined {
  const { secret, user } = login;
  const found =
    secret.uuid === undefined
      ? secretFor(instance, { type: "iscsi", id: secret.usage ?? "" })
      : knownSecret(instance, secret.uuid);
  if (found === undefined) return undefined;
  refuseSecret(target, found);
  const bytes = usedValue(instance, found);
  const password = new TextDecoder("latin1").decode(bytes);
  bytes.fill(0);
  if (fitsRecord(user) && fitsRecord(password)) return { user, password };
  throw cannot(
    target,
    `a record of open-iscsi cannot have the user or the value of the secret ${found.uuid}`,
    "Use 1 to 255 ASCII characters in one line, without blanks at either end.",
  );
}

/** Refuses a secret for another use, and a secret kept off the disk: open-iscsi has its records there. */
function refuseSecret(target: IscsiTarget, { place, usage, uuid }: FoundSecret): void {
  if (usage !== undefined && usage.type !== "iscsi")
    throw cannot(target, `the secret ${uuid} is for ${usage.type}`, "Name one with <usage type='iscsi'>.");
  if (place === "memory")
    throw cannot(
      target,
      `the secret ${uuid} is ephemeral, and open-iscsi keeps passwords on disk`,
      "Define it with ephemeral='no'.",
    );
}

/**
 * Writes the password into the record of a target. The new text is written beside the folder of the records,
 * since open-iscsi takes each file in it for a record, and then moved.
 */
function writePassword(host: Host, target: IscsiTarget, chap: ChapPassword): void {
  const found = DATABASES.flatMap((database) => {
    const path = recordPath(database, target);
    const text = host.readText(path);
    return text === undefined ? [] : [{ path, text, draft: `${database}/.svirt-${target.name}` }];
  });
  const [record, other] = found;
  if (record === undefined || other !== undefined)
    throw cannot(
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

/**
 * Returns the printed record of a target, without its password; undefined without a record. Throws "failed"
 * for a record not printed by iscsiadm, since a new record would replace it; and as runCommand().
 */
async function readRecordOf(host: Host, target: IscsiTarget): Promise<string | undefined> {
  const command = showCommand(target);
  const shown = await host.readOutput(command);
  if ("text" in shown) return shown.text;
  if (shown.code === NONE_FOUND) return undefined;
  // Says whether it is missing or not permitted.
  if (shown.code === undefined) await runCommand(host, "log in to", { target, words: command });
  const why = shown.code === undefined ? "prints no record" : `failed with ${shown.code}`;
  throw new SvirtError(
    `Cannot log in to the iSCSI target ${target.name}: ${ISCSIADM} ${why}, and a record that it does not print must not be replaced`,
    {
      kind: "failed",
      remedy: `Run it yourself, and repair or remove the record that it complains about: ${command.join(" ")}`,
    },
  );
}

function cannot({ name }: IscsiTarget, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot log in to the iSCSI target ${name}: ${why}`, {
    kind: "unsupported",
    place: "/pool/source/auth",
    remedy,
  });
}
