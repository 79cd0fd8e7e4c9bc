import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import { type FoundSecret, knownSecret, secretFor } from "../../../resolve/secrets/find-secret.ts";
import { usedValue } from "../../../resolve/secrets/used-value.ts";
import { NONE_FOUND, runCommand } from "../../../run/steps/pool/iscsi-command.ts";
import { cannotLogIn } from "../../../run/steps/pool/iscsi-login.ts";
import type { Instance } from "../../../state/instance.ts";
import { type ChapPassword, fitsRecord } from "../../../storage/pool/iscsi/record.ts";
import {
  type ChapLogin,
  hasPassword,
  ISCSIADM,
  type IscsiTarget,
  showCommand,
} from "../../../storage/pool/iscsi/target.ts";

/**
 * Throws "unsupported" if the printed record of a target has no password of a user. iscsiadm takes a password
 * only as an argument, readable to any process of the host, so svirt writes the file instead.
 */
export function refuseWithoutPassword(
  target: IscsiTarget,
  { user }: ChapLogin,
  record: string | undefined,
): void {
  if (hasPassword(record ?? "", user)) return;
  throw cannotLogIn(
    target,
    `open-iscsi has no password of the user ${user} for it`,
    `Define the pool's secret with its value, or write node.session.auth.authmethod = CHAP, .username and .password into its record, a file of root alone: ls {/etc,/var/lib}/iscsi/nodes/${target.name}`,
  );
}

/**
 * Returns the user and password of the pool's secret; undefined if svirt has no such secret: the record must
 * have both then. Throws "unsupported"; "not-found" for a secret without a value.
 * virStorageBackendISCSISetAuth() of libvirt
 */
export function chapPassword(
  instance: Instance,
  target: IscsiTarget,
  login: ChapLogin,
): ChapPassword | undefined {
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
  throw cannotLogIn(
    target,
    `a record of open-iscsi cannot have the user or the value of the secret ${found.uuid}`,
    "Use 1 to 255 ASCII characters in one line, without blanks at either end.",
  );
}

/** Refuses a secret for another use, and a secret kept off the disk: open-iscsi has its records there. */
function refuseSecret(target: IscsiTarget, { place, usage, uuid }: FoundSecret): void {
  if (usage !== undefined && usage.type !== "iscsi")
    throw cannotLogIn(
      target,
      `the secret ${uuid} is for ${usage.type}`,
      "Name one with <usage type='iscsi'>.",
    );
  if (place === "memory")
    throw cannotLogIn(
      target,
      `the secret ${uuid} is ephemeral, and open-iscsi keeps passwords on disk`,
      "Define it with ephemeral='no'.",
    );
}

/**
 * Returns the printed record of a target, without its password; undefined without a record. Throws "failed"
 * for a record not printed by iscsiadm, since a new record would replace it; and as runCommand().
 */
export async function readRecordOf(host: Host, target: IscsiTarget): Promise<string | undefined> {
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
