import { parseNetwork } from "../../network/document.ts";
import type { Instance } from "../../state/instance.ts";
import type { Edited, TreatChange } from "../define/edit-definition.ts";
import { editStored } from "../stored/edit-stored.ts";
import { definedNetwork, networkReplacement } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";

/**
 * Lets the caller edit a network's definition, and treats the change that `net-define` would make of it.
 * Throws "not-found", "wrong-state", and the errors of `net-define`.
 */
export async function editNetwork<Result>(
  instance: Instance,
  key: string,
  treat: TreatChange<Result>,
): Promise<Edited<Result>> {
  const kind = {
    command: "net",
    prefix: "network",
    find: findNetwork,
    findDefined: (node: Instance, name: string) =>
      definedNetwork(node, name, "cannot edit transient network"),
    parse: parseNetwork,
    replacement: networkReplacement,
  };
  return await editStored(instance, kind, { key, treat });
}
