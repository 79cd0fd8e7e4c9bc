import { isAutostarted, listDefinitionNames, setAutostart } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { startNamed } from "../save/restore-domain.ts";
import { type Autostarted, startEach } from "../stored/start-each.ts";

// Rule: A boot skips a domain that runs, and removes a mark for one boot.

/**
 * Starts the marked domains without a running guest. A mark for a single boot is removed once its domain's
 * start is done or has failed: a kill before leaves it. Never throws for a single domain.
 * virDomainDriverAutoStartOne() of libvirt
 */
export async function startAutostarted(instance: Instance): Promise<Autostarted> {
  const isMarkedOnce = (name: string): boolean => isAutostarted(instance, name, "once");
  const marked = listDefinitionNames(instance).filter(
    (name) => isAutostarted(instance, name) || isMarkedOnce(name),
  );
  return await startEach(marked, async (name) => {
    try {
      return await startNamed(instance, name, { forceBoot: false });
    } finally {
      if (isMarkedOnce(name)) setAutostart(instance, name, { when: "once", wanted: false });
    }
  });
}
