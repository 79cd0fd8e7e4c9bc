import { type FoundSecret, listSecrets } from "../../resolve/secrets/find-secret.ts";
import type { Instance } from "../../state/instance.ts";

/** Secrets to list: each pair that has one of its two selects those. */
export interface SecretFilter {
  readonly ephemeral?: boolean;
  readonly noEphemeral?: boolean;
  readonly private?: boolean;
  readonly noPrivate?: boolean;
}

/** Lists secrets by their UUIDs. virSecretObjMatch() of libvirt */
export function selectSecrets(instance: Instance, filter: SecretFilter = {}): readonly FoundSecret[] {
  return listSecrets(instance).filter(
    (secret) =>
      isSelected(secret.ephemeral, filter.ephemeral, filter.noEphemeral) &&
      isSelected(secret.private, filter.private, filter.noPrivate),
  );
}

function isSelected(is: boolean, wanted = false, unwanted = false): boolean {
  return wanted === unwanted || (is ? wanted : unwanted);
}
