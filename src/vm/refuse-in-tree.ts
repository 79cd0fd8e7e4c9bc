import { SvirtError } from "../errors.ts";
import { fileKey } from "../plan/start-plan.ts";
import { type Node, registryOf } from "./node.ts";
import type { NamedFile } from "./original-label.ts";

/** Throws "label-taken" for a file in a folder that another guest shares: all in there has that one's label. */
export function refuseInTree(node: Node, uuid: string, { named, facts }: NamedFile): void {
  const registry = registryOf(node);
  const { path } = facts.id;
  for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
    const folder = path.slice(0, cut);
    const id = node.host.inspectFile(folder)?.id;
    const [other] = id === undefined ? [] : registry.listHolders("file", fileKey(id));
    if (other === undefined) continue;
    const who = other.owner === uuid ? "this guest shares" : `the guest ${other.owner} shares`;
    throw new SvirtError(`Cannot give ${named} to the guest: ${who} ${folder} with all that is in it`, {
      kind: "label-taken",
      remedy: "Put the file elsewhere, or end that guest.",
    });
  }
}
