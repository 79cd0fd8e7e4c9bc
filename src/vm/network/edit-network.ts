import { parseNetwork } from "../../network/document.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { type Edited, editDefinition } from "../define/edit-definition.ts";
import { storeNetwork, transient } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";

/**
 * Lets the caller edit a network's definition and stores the result as `net-define` would. Throws "not-found", "wrong-state",
 * and the errors of `net-define`.
 */
export async function editNetwork(instance: Instance, key: string): Promise<Edited> {
  const { defined, name, uuid } = findNetwork(instance, key);
  if (defined === undefined) throw transient("cannot edit transient network", name);
  return await editDefinition(instance, {
    name,
    id: `network-${uuid}`,
    xml: defined,
    commands: { define: "net-define", dumpxml: `net-dumpxml ${uuid} --inactive` },
    async store(bytes, refuseOther) {
      const network = parseNetwork(bytes);
      await withRegistryLock(instance, async () => {
        refuseOther(findNetwork(instance, uuid).defined);
        storeNetwork(instance, network);
      });
    },
  });
}
