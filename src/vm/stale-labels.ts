import { parseDomainText } from "../domain/document.ts";
import { listResources, type Resource } from "../domain/resources.ts";
import { asSvirtError } from "../errors.ts";
import { listDefinitionNames, readDefinition } from "./definitions.ts";
import type { Node } from "./node.ts";
import { isStale } from "./original-label.ts";

/**
 * What is wrong with the files of defined domains that nobody uses, one line each with its remedy: they carry the label
 * of a guest that is gone, because what was known of their own was lost.
 */
export function findStaleLabels(node: Node): string[] {
  return listDefinitionNames(node).flatMap((name) => {
    try {
      return pathsOf(node, name).flatMap((path) => findStaleLabel(node, path));
    } catch (error) {
      return [`${name}: its files cannot be looked at: ${asSvirtError(error).message}`];
    }
  });
}

function pathsOf(node: Node, name: string): string[] {
  const xml = readDefinition(node, name)?.xml;
  if (xml === undefined) return [];
  return listResources(parseDomainText(xml)).flatMap(pathOf);
}

/** Of what a guest may have to itself: the rest is never labelled for one guest alone. */
function pathOf(resource: Resource): string[] {
  return OWN.has(resource.kind) && "path" in resource ? [resource.path] : [];
}

const OWN: ReadonlySet<Resource["kind"]> = new Set([
  "disk",
  "chardev-file",
  "chardev-log",
  "chardev-device",
  "nvram",
]);

function findStaleLabel(node: Node, path: string): string[] {
  const facts = node.host.inspectFile(path);
  if (facts === undefined || !isStale(node, facts)) return [];
  return [`${path} carries the label of a guest that does not use it; run svirt label restore ${path}`];
}
