import { SvirtError } from "../../errors.ts";
import { findSecret } from "../../resolve/secrets/find-secret.ts";
import { usedValue } from "../../resolve/secrets/used-value.ts";
import { MOST_VALUE_BYTES } from "../../secret/value.ts";
import type { Instance } from "../../state/instance.ts";
import { removeLeftovers, writeSecretValue } from "../../state/secrets.ts";
import { changeStored } from "../stored/change-stored.ts";

// Rule: The value of a private secret is shown to no client.

/**
 * Sets the value of a secret, and makes these bytes zero. Throws "not-found"; "usage" for more than 64 KiB.
 */
export async function setSecretValue(instance: Instance, key: string, value: Uint8Array): Promise<void> {
  try {
    if (value.length > MOST_VALUE_BYTES)
      throw new SvirtError(
        `Cannot set the value of secret ${key}: it has more than ${MOST_VALUE_BYTES} bytes`,
        {
          kind: "usage",
          from: "SECRET",
          remedy: "Use a shorter value.",
        },
      );
    await changeStored(instance, () => {
      removeLeftovers(instance);
      writeSecretValue(instance, findSecret(instance, key), value);
    });
  } finally {
    value.fill(0);
  }
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
