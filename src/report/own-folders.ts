import { asSvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../plan/paths.ts";
import { getFileLabel } from "../run/labels/get-file-label.ts";
import { parseContextOrUndefined } from "../selinux/context.ts";
import { defaultLabelOf, readFileContexts } from "./default-labels.ts";
import type { Finding } from "./finding.ts";

/**
 * Checks the folders of svirt. Labels and remembered labels are extended attributes, which the file system
 * must keep. A folder that svirt made before its policy was loaded has a label that the policy denies to
 * svirt.
 */
export function checkOwnFolders(host: Host, paths: Paths): Finding[] {
  return (["state", "run", "log"] as const).map((name) => checkFolder(host, paths, name));
}

/** A user's path throws where the login has made no folder. */
function checkFolder(host: Host, paths: Paths, name: "state" | "run" | "log"): Finding {
  let path: string | undefined;
  try {
    path = paths[name];
    return judge(host, path, paths);
  } catch (error) {
    const { message, remedy } = asSvirtError(error);
    if (path !== undefined) return { check: path, verdict: "failed", is: message, remedy: restore(path) };
    return { check: `folder: ${name}`, verdict: "failed", is: message, remedy };
  }
}

function judge(host: Host, path: string, paths: Paths): Finding {
  const facts = host.inspectFile(path);
  if (facts === undefined)
    return { check: path, verdict: "ok", is: "created at the first start", remedy: undefined };
  const is = getFileLabel(host, facts.id);
  if (is === undefined) {
    const remedy = "Mount a file system with labels there (ext4, xfs, tmpfs), or label it.";
    return { check: path, verdict: "warning", is: "has no label", remedy };
  }
  // A user may have folders at any place.
  const isJudged = paths.instance !== "session" && host.getSelinux().mode !== "disabled";
  const contexts = isJudged ? readFileContexts(host) : undefined;
  const wanted = contexts && defaultLabelOf(contexts, facts);
  if (wanted === undefined || typeOf(wanted) === typeOf(is))
    return { check: path, verdict: "ok", is, remedy: undefined };
  return { check: path, verdict: "failed", is: `${is} instead of ${wanted}`, remedy: restore(path) };
}

function typeOf(label: string): string | undefined {
  return parseContextOrUndefined(label)?.type;
}

function restore(path: string): string {
  return `Run: restorecon -R -v ${path}`;
}
