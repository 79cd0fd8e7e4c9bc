import { isAutostarted, listDefinitionNames } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { startNamed } from "../save/restore-domain.ts";
import { type Autostarted, startEach } from "./start-each.ts";

/** Starts the marked domains that do not run. Never throws for a single domain. */
export async function startAutostarted(instance: Instance): Promise<Autostarted> {
  const marked = listDefinitionNames(instance).filter((name) => isAutostarted(instance, name));
  return await startEach(marked, async (name) => await startNamed(instance, name, { forceBoot: false }));
}
