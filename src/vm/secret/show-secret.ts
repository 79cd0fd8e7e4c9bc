import { type FoundSecret, findSecret } from "../../resolve/secrets/find-secret.ts";
import type { Instance } from "../../state/instance.ts";

/**
 * Returns a secret's definition, which has no value. Throws "not-found", and the errors of a damaged file.
 * secretGetXMLDesc() of libvirt
 */
export function showSecret(instance: Instance, key: string): FoundSecret {
  return findSecret(instance, key);
}
