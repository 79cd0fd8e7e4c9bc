import { SvirtError } from "../../errors.ts";
import { findSecret } from "../../resolve/secrets/find-secret.ts";
import { usedValue } from "../../resolve/secrets/used-value.ts";
import { MOST_VALUE_BYTES } from "../../secret/value.ts";
import type { Instance } from "../../state/instance.ts";
import { refuseOnDisk, valuePath } from "../../state/secrets.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { secretChange, secretChangeOf } from "./secret-change.ts";

// Rule: The value of a private secret is shown to no client.

/**
 * Sets the value of a secret, and makes these bytes zero. Throws "not-found"; "usage" for more than 64 KiB.
 */
export async function setSecretValue(instance: Instance, key: string, value: Uint8Array): Promise<void> {
  await carryOut(instance, secretValueChange(key, value));
}

/** Returns the change of setSecretValue(). */
export function secretValueChange(key: string, value: Uint8Array): Change<undefined> {
  const change = secretChange((instance) => {
    refuseLong(key, value);
    const { place, uuid } = findSecret(instance, key);
    refuseOnDisk(instance, place);
    const path = valuePath(instance, { uuid, place });
    const steps = [{ do: "set-secret", secret: uuid, path } as const];
    return {
      change: secretChangeOf(uuid, { command: "secret-set-value", steps, commit: "last" }),
      result: undefined,
    };
  });
  return { ...change, secret: value };
}

function refuseLong(key: string, { length }: Uint8Array): void {
  if (length <= MOST_VALUE_BYTES) return;
  throw new SvirtError(`Cannot set the value of secret ${key}: it has more than ${MOST_VALUE_BYTES} bytes`, {
    kind: "usage",
    from: "SECRET",
    remedy: "Use a shorter value.",
  });
}

/**
 * Returns the value of a secret to a client. Throws "not-found"; "denied" for a private one. secretGetValue()
 * of libvirt
 */
export function getSecretValue(instance: Instance, key: string): Uint8Array {
  const secret = findSecret(instance, key);
  if (!secret.private) return usedValue(instance, secret);
  throw new SvirtError("Invalid secret: secret is private", {
    kind: "denied",
    libvirt: "INVALID_SECRET",
    remedy: "Take the value from where it was made: only svirt itself reads that of a private secret.",
  });
}
