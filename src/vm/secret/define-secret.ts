import { uuidOf } from "../../domain/forms/uuid.ts";
import { SvirtError } from "../../errors.ts";
import type { Step } from "../../plan/steps/step.ts";
import { type FoundSecret, knownSecret, noSecret, secretFor } from "../../resolve/secrets/find-secret.ts";
import { completeSecret, formatSecret, parseSecret, type Secret } from "../../secret/document.ts";
import type { Instance } from "../../state/instance.ts";
import {
  hasSecretValue,
  readSecret,
  refuseOnDisk,
  SECRET_PLACES,
  type SecretName,
  secretPath,
  secretStep,
  valuePath,
} from "../../state/secrets.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { secretChange, secretChangeOf } from "./secret-change.ts";

/**
 * Stores the definition of a secret, or replaces the definition of its UUID, with its value kept. Throws
 * "xml", "unsupported"; "in-use" if another secret is for the same object, or this secret for another.
 * secretDefineXML() of libvirt
 */
export async function defineSecret(instance: Instance, bytes: Uint8Array): Promise<Secret> {
  return await carryOut(instance, secretDefinition(bytes));
}

/** Returns the change of defineSecret(). Throws "xml", "unsupported". */
export function secretDefinition(bytes: Uint8Array): Change<Secret> {
  const written = parseSecret(bytes);
  return secretChange((instance) => {
    const secret = completeSecret(written, instance.host.makeUuid());
    const old = knownSecret(instance, secret.uuid);
    refuseOther(instance, secret, old);
    const place = secret.ephemeral ? "memory" : "disk";
    refuseOnDisk(instance, place);
    const steps = definitionSteps(instance, { ...secret, place }, old);
    // The definition on disk decides, since a record on disk outlives a definition in memory.
    const onDisk = secretPath(instance, { ...secret, place: "disk" });
    const decisive = steps.findIndex((step) => step.do === "replace-text" && step.path === onDisk);
    const commit = decisive === -1 ? "last" : decisive;
    return {
      change: secretChangeOf(secret.uuid, { command: "secret-define", steps, commit }),
      result: secret,
    };
  });
}

/** Removes a secret with its value. Throws "not-found". */
export async function undefineSecret(instance: Instance, key: string): Promise<void> {
  await carryOut(instance, secretRemoval(key));
}

/** Returns the change of undefineSecret(). */
export function secretRemoval(key: string): Change<undefined> {
  return secretChange((instance) => {
    // Also a secret whose XML svirt does not read any more.
    const uuid = uuidOf(key);
    const stored = uuid === undefined ? undefined : readSecret(instance, uuid);
    if (stored === undefined) throw noSecret(`no secret with matching uuid '${key}'`);
    const places = SECRET_PLACES.map((place) => ({ uuid: stored.uuid, place }));
    const steps = [
      ...places.flatMap((secret) => removalSteps(instance, secret)),
      ...places.flatMap((secret) => valueRemoval(instance, secret)),
    ];
    return {
      change: secretChangeOf(stored.uuid, { command: "secret-undefine", steps, commit: "first" }),
      result: undefined,
    };
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
 * Returns the steps that write a definition. A secret that moves between memory and disk takes its value
 * there first; the value is in memory as long as its definition is.
 */
function definitionSteps(
  instance: Instance,
  secret: Secret & SecretName,
  old: FoundSecret | undefined,
): readonly Step[] {
  const { place, uuid } = secret;
  const other = { uuid, place: place === "disk" ? "memory" : "disk" } as const;
  const from = valuePath(instance, other);
  const isMoved = old?.place === other.place && hasSecretValue(instance, other);
  const isKept = old?.place === place;
  return [
    // A value without a definition is no value of this secret.
    ...(isMoved || isKept ? [] : valueRemoval(instance, { uuid, place })),
    ...(isMoved
      ? [{ do: "copy-secret", secret: uuid, from, to: valuePath(instance, { uuid, place }) } as const]
      : []),
    secretStep(instance, { uuid, place }, formatSecret(secret)),
    ...removalSteps(instance, other),
    ...valueRemoval(instance, other),
  ];
}

function removalSteps(instance: Instance, secret: SecretName): readonly Step[] {
  const step = secretStep(instance, secret, undefined);
  return step.from === undefined ? [] : [step];
}

function valueRemoval(instance: Instance, secret: SecretName): readonly Step[] {
  return hasSecretValue(instance, secret)
    ? [{ do: "remove-file", path: valuePath(instance, secret) } as const]
    : [];
}
