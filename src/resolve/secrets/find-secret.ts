import { uuidOf } from "../../domain/forms/uuid.ts";
import { asSvirtError, type OnRefused, SvirtError, unlessRefused } from "../../errors.ts";
import { completeSecret, parseSecret, type Secret, type SecretUsage } from "../../secret/document.ts";
import type { Instance } from "../../state/instance.ts";
import {
  listSecretUuids,
  readSecret,
  type SecretPlace,
  type StoredSecret,
  secretPath,
} from "../../state/secrets.ts";

/** A secret, and where it is. */
export interface FoundSecret extends Secret {
  readonly place: SecretPlace;
  /** Its stored XML. */
  readonly xml: string;
}

/**
 * Returns the secret with that UUID. Throws "not-found" with libvirt's message, and the errors of a damaged
 * file.
 */
export function findSecret(instance: Instance, key: string): FoundSecret {
  const uuid = uuidOf(key);
  const stored = uuid === undefined ? undefined : readSecret(instance, uuid);
  if (stored !== undefined) return toFound(instance, stored);
  throw noSecret(`no secret with matching uuid '${key}'`);
}

/** Returns the secret with the UUID; undefined without a secret. Throws the errors of a damaged file. */
export function knownSecret(instance: Instance, uuid: string): FoundSecret | undefined {
  const stored = readSecret(instance, uuid);
  return stored === undefined ? undefined : toFound(instance, stored);
}

/** Returns the secret for an object; undefined without a secret. */
export function secretFor(instance: Instance, { id, type }: SecretUsage): FoundSecret | undefined {
  return listSecrets(instance).find(({ usage }) => usage?.type === type && usage.id === id);
}

/**
 * Lists all secrets whose files svirt can read, by their UUIDs. The errors of damaged files go to
 * `onDamaged`.
 */
export function listSecrets(instance: Instance, onDamaged?: OnRefused): readonly FoundSecret[] {
  return listSecretUuids(instance).flatMap((uuid) => {
    // A damaged file hides no other secret; findSecret() reports it.
    const found = unlessRefused(() => knownSecret(instance, uuid), onDamaged);
    return found === undefined ? [] : [found];
  });
}

/** Returns the error of a secret or value that does not exist. VIR_ERR_NO_SECRET of libvirt */
export function noSecret(why: string, remedy = "svirt secret-list lists the secrets."): SvirtError {
  return new SvirtError(`Secret not found: ${why}`, { kind: "not-found", libvirt: "NO_SECRET", remedy });
}

function toFound(instance: Instance, { place, uuid, xml }: StoredSecret): FoundSecret {
  try {
    return { ...completeSecret(parseSecret(new TextEncoder().encode(xml)), uuid), uuid, place, xml };
  } catch (cause) {
    throw damaged(instance, { place, uuid }, asSvirtError(cause));
  }
}

function damaged(
  instance: Instance,
  { place, uuid }: Pick<StoredSecret, "place" | "uuid">,
  cause: SvirtError,
): SvirtError {
  const path = secretPath(instance, { place, uuid });
  return new SvirtError(`Cannot read the secret ${path}: ${cause.message}`, {
    kind: "failed",
    from: "SECRET",
    remedy: `Remove it, and define it again: svirt secret-undefine ${uuid}`,
    cause,
  });
}
