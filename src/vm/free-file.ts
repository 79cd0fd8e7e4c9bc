import { SvirtError } from "../errors.ts";
import type { FileFacts } from "../host.ts";
import { belongsToHost } from "../label/impossible-targets.ts";
import { fileKey } from "../plan/start-plan.ts";
import { type Node, registryOf } from "./node.ts";
import { refuseOtherTool } from "./original-label.ts";
import { readRecord } from "./record.ts";

/** What is at a path. Throws "not-found". */
export function inspectExisting(node: Node, path: string): FileFacts {
  const facts = node.host.inspectFile(path);
  if (facts !== undefined) return facts;
  throw new SvirtError(`Cannot access file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Correct the path.",
  });
}

/** What is at a path, unless it belongs to the host or somebody uses it. Throws "not-found", "denied", "label-taken". */
export function inspectFree(node: Node, path: string): FileFacts {
  const facts = inspectExisting(node, path);
  if (belongsToHost(facts.id.path)) throw ofHost(path);
  const [holder] = registryOf(node).listHolders("file", fileKey(facts.id));
  if (holder !== undefined) throw inUse(path, readRecord(node, holder.owner)?.name ?? holder.owner);
  refuseOtherTool(node, { named: path, facts });
  return facts;
}

function inUse(path: string, guest: string): SvirtError {
  return new SvirtError(`Cannot label ${path}: the guest ${guest} uses it`, {
    kind: "label-taken",
    remedy: `Stop that guest: svirt shutdown ${guest}`,
  });
}

function ofHost(path: string): SvirtError {
  return new SvirtError(`Cannot label ${path}: it belongs to the host`, {
    kind: "denied",
    remedy: "Label the host's own files with restorecon or chcon.",
  });
}
