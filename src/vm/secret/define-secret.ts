import { uuidOf } from "../../domain/forms/uuid.ts";
import { SvirtError } from "../../errors.ts";
import { type FoundSecret, knownSecret, noSecret, secretFor } from "../../resolve/secrets/find-secret.ts";
import { completeSecret, formatSecret, parseSecret, type Secret } from "../../secret/document.ts";
import type { Instance } from "../../state/instance.ts";
import {
  readSecret,
  readSecretValue,
  removeLeftovers,
  removeSecret,
  writeSecret,
  writeSecretValue,
} from "../../state/secrets.ts";
import { changeStored } from "../stored/change-stored.ts";

/**
 * Stores the definition of a secret, or replaces the definition of its UUID, with its value kept. Throws
 * "xml", "unsupported"; "in-use" if another secret is for the same object, or this secret for another.
 * secretDefineXML() of libvirt
 */
export async function defineSecret(instance: Instance, bytes: Uint8Array): Promise<Secret> {
  const written = parseSecret(bytes);
  return await changeStored(instance, () => {
    removeLeftovers(instance);
    const secret = completeSecret(written, instance.host.makeUuid());
    const old = knownSecret(instance, secret.uuid);
    refuseOther(instance, secret, old);
    storeSecret(instance, secret, old);
    return secret;
  });
}

/** Removes a secret with its value. Throws "not-found". */
export async function undefineSecret(instance: Instance, key: string): Promise<void> {
  await changeStored(instance, () => {
    removeLeftovers(instance);
    // Also one whose XML svirt does not read any more.
    const uuid = uuidOf(key);
    const stored = uuid === undefined ? undefined : readSecret(instance, uuid);
    if (stored === undefined) throw noSecret(`no secret with matching uuid '${key}'`);
    removeSecret(instance, stored);
  });
}

/** Throws libvirt's refusals of a definition beside others. virSecretObjListAdd() of libvirt */
function refuseOther(
  instance: Instance,
  { private: isPrivate, usage, uuid }: Secret,
  old?: FoundSecret,
): void {
  if (old === undefined) {
    const other = usage === undefined ? undefined : secretFor(instance, usage);
    if (other === undefined) return;
    throw conflict(
      `internal error: a secret with UUID ${other.uuid} already defined for use with ${usage?.id}`,
      `Undefine the other one first: svirt secret-undefine ${other.uuid}`,
    );
  }
  if (old.usage?.id !== usage?.id || old.usage?.type !== usage?.type)
    throw conflict(
      `internal error: a secret with UUID ${uuid} is already defined for use with ${old.usage?.id ?? "nothing"}`,
      "Leave <uuid> out, or undefine that secret first.",
    );
  if (old.private && !isPrivate)
    throw conflict(
      "internal error: cannot change private flag on existing secret",
      `Write private='yes', or undefine it first: svirt secret-undefine ${uuid}`,
    );
}

/** VIR_ERR_INTERNAL_ERROR of libvirt's list of secrets, which belongs to no driver. */
function conflict(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "in-use", libvirt: "INTERNAL_ERROR", from: "SECRET", remedy });
}

/**
 * Writes the definition. A secret that moves between memory and disk takes its value there first; it is in
 * memory as long as its definition is.
 */
function storeSecret(instance: Instance, secret: Secret, old?: FoundSecret): void {
  const { uuid } = secret;
  const place = secret.ephemeral ? "memory" : "disk";
  const moved = old === undefined || old.place === place ? undefined : old;
  const value = moved === undefined ? undefined : readSecretValue(instance, moved);
  if (value !== undefined) {
    writeSecretValue(instance, { uuid, place }, value);
    value.fill(0);
  }
  writeSecret(instance, { uuid, place, xml: formatSecret(secret) });
  if (moved !== undefined) removeSecret(instance, moved);
}
