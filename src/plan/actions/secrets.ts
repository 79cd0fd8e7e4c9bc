import type { PassedSecret } from "../facts/passed-secret.ts";
import type { Step } from "../steps/step.ts";

/** Steps before and after QEMU reads the values. */
export interface SecretSteps {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
}

/**
 * Plans the files with the values of secrets, and their removal when QEMU has read them. The steps have no
 * values.
 */
export function planSecrets(
  secrets: readonly PassedSecret[],
  { label, uid }: { readonly label: string | undefined; readonly uid: number },
): SecretSteps {
  return {
    before: secrets.map(
      (secret): Step => ({
        do: "write-secret",
        ...secret,
        uid,
        ...(label === undefined ? {} : { label }),
      }),
    ),
    after: secrets.map(({ path }): Step => ({ do: "remove-file", path })),
  };
}
