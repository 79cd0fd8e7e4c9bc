import type { Instance } from "../../state/instance.ts";
import { readSecretValue } from "../../state/secrets.ts";
import { type FoundSecret, noSecret } from "./find-secret.ts";

/** Returns the value of a secret for svirt's own use, private or not. Throws "not-found" without a value. */
export function usedValue(instance: Instance, secret: FoundSecret): Uint8Array {
  const value = readSecretValue(instance, secret);
  if (value !== undefined) return value;
  const { uuid } = secret;
  throw noSecret(
    `secret '${uuid}' does not have a value`,
    `Set it: svirt secret-set-value ${uuid} --plain --file -`,
  );
}
