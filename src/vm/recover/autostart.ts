import { asSvirtError, type SvirtError } from "../../errors.ts";
import { isAutostarted, listDefinitionNames } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { startNamed } from "../save/restore-domain.ts";

/** Names of the domains that were started, and the errors of the others. */
export interface Autostarted {
  readonly names: readonly string[];
  readonly errors: readonly SvirtError[];
}

/** Starts the marked domains that do not run. Never throws for a single domain. */
export async function startAutostarted(instance: Instance): Promise<Autostarted> {
  const names: string[] = [];
  const errors: SvirtError[] = [];
  for (const name of listDefinitionNames(instance).filter((each) => isAutostarted(instance, each))) {
    try {
      const { did } = await startNamed(instance, name, { forceBoot: false });
      if (did) names.push(name);
    } catch (error) {
      errors.push(asSvirtError(error));
    }
  }
  return { names, errors };
}
