import type { OnRefused } from "../../errors.ts";
import { type FoundSecret, listSecrets } from "../../resolve/secrets/find-secret.ts";
import type { Instance } from "../../state/instance.ts";

/** Secrets to list: a pair with exactly one choice selects by it. */
export interface SecretFilter {
  readonly ephemeral?: boolean;
  readonly noEphemeral?: boolean;
  readonly private?: boolean;
  readonly noPrivate?: boolean;
}

/**
 * Lists secrets by their UUIDs. The errors of damaged ones go to `onDamaged`. virSecretObjMatch() of libvirt
 */
export function selectSecrets(
  instance: Instance,
  filter: SecretFilter = {},
  onDamaged?: OnRefused,
): readonly FoundSecret[] {
  return listSecrets(instance, onDamaged).filter(
    (secret) =>
      isSelected(secret.ephemeral, filter.ephemeral, filter.noEphemeral) &&
      isSelected(secret.private, filter.private, filter.noPrivate),
  );
}

function isSelected(is: boolean, wanted = false, unwanted = false): boolean {
  return wanted === unwanted || (is ? wanted : unwanted);
}
