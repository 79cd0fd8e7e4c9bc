import { SvirtError } from "../../errors.ts";
import type { PassedSecret } from "../../plan/facts/passed-secret.ts";
import { type SecretUse, secretFile } from "../../qemu/devices/disk/secrets.ts";
import type { Instance } from "../../state/instance.ts";
import { valuePath } from "../../state/secrets.ts";
import { type FoundSecret, knownSecret, noSecret, secretFor } from "./find-secret.ts";
import { usedValue } from "./used-value.ts";

// Rule: QEMU gets secrets by files of root, never by arguments.

/**
 * Decides the files with the values of secrets for QEMU, in a folder of root. Throws "not-found" for an
 * undefined secret or a secret without a value, "unsupported" for another use, "denied" for a login by a
 * private secret with a restricted key. virSecretGetSecretString() of libvirt
 */
export function decideSecrets(
  instance: Instance,
  uses: readonly SecretUse[],
  folder: string,
): readonly PassedSecret[] {
  return uses.map((use) => {
    const found = secretOf(instance, use);
    refuseForKey(instance, found, use);
    usedValue(instance, found).fill(0);
    return { secret: found.uuid, from: valuePath(instance, found), path: secretFile(folder, use) };
  });
}

/**
 * Throws "denied" if a restricted key logs in by a private secret: the client names the server, which may get
 * the value.
 */
function refuseForKey({ isForKey }: Instance, found: FoundSecret, { kind, place }: SecretUse): void {
  if (isForKey !== true || !found.private || kind !== "iscsi") return;
  throw new SvirtError(`Invalid secret: secret ${found.uuid} is private`, {
    kind: "denied",
    libvirt: "INVALID_SECRET",
    from: "SECRET",
    place,
    remedy: "Start the guest with a key that has a shell, or name a secret that is not private.",
  });
}

/** Finds the secret of the XML for a use. Throws "not-found", and "unsupported" for another use. */
export function secretOf(
  instance: Instance,
  { kind, place, secret }: Pick<SecretUse, "kind" | "place" | "secret">,
): FoundSecret {
  const { usage: name, uuid } = secret;
  if (uuid === undefined) {
    const found = secretFor(instance, { type: kind, id: name ?? "" });
    if (found !== undefined) return found;
    throw noSecret(`no secret with matching usage '${name}'`);
  }
  const found = knownSecret(instance, uuid);
  if (found === undefined) throw noSecret(`no secret with matching uuid '${uuid}'`);
  const { usage } = found;
  if (usage === undefined || usage.type === kind) return found;
  throw new SvirtError(
    `invalid argument: secret with uuid ${uuid} is of type '${usage.type}' not expected '${kind}' type`,
    {
      kind: "unsupported",
      libvirt: "INVALID_ARG",
      from: "SECRET",
      place,
      remedy: `Name a secret with <usage type='${kind}'>: svirt secret-list lists the secrets.`,
    },
  );
}
