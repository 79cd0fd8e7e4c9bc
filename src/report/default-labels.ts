import type { FileFacts } from "../host/files.ts";
import type { Host } from "../host/host.ts";
import { defaultContextOf, type FileContexts, parseFileContexts } from "../selinux/file-contexts/look-up.ts";
import type { SpecText } from "../selinux/file-contexts/parse-rules.ts";
import { contextsFolder } from "./policy-facts.ts";

/**
 * Reads the policy's rules for default labels from their text form. The compiled form depends on the machine,
 * and the text is parsed quickly enough. Undefined without a policy. Throws "failed" for rules that cannot be
 * parsed.
 */
export function readFileContexts(host: Host): FileContexts | undefined {
  const path = `${contextsFolder(host)}/files/file_contexts`;
  const read = (suffix: string): SpecText | undefined => {
    const text = host.readText(`${path}${suffix}`);
    return text === undefined ? undefined : { text, path: `${path}${suffix}` };
  };
  const base = read("");
  if (base === undefined) return undefined;
  const [homedirs, local] = [read(".homedirs"), read(".local")];
  return parseFileContexts({
    base,
    ...(homedirs === undefined ? {} : { homedirs }),
    ...(local === undefined ? {} : { local }),
    subs: read(".subs")?.text ?? "",
    subsDist: read(".subs_dist")?.text ?? "",
  });
}

/**
 * Returns the policy's label for a file of the type at a path; undefined if it has none, or there is no
 * policy. Throws as readFileContexts().
 */
export function defaultContextAt(host: Host, path: string, type: FileFacts["type"]): string | undefined {
  const contexts = readFileContexts(host);
  return contexts && defaultContextOf(contexts, path, type);
}

/** Returns the label that the policy gives a file; undefined if it has none. Throws "unsupported". */
export function defaultLabelOf(contexts: FileContexts, file: FileFacts): string | undefined {
  return defaultContextOf(contexts, file.id.path, file.type);
}
