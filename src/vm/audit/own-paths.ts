import { parseDomainText } from "../../domain/document.ts";
import type { Resource } from "../../domain/resources/resource.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { keepLast } from "../../xml/keep-last.ts";

// Rule: An audit parses the text of a definition once, for up to 1000 definitions.

const OWN: ReadonlySet<Resource["kind"]> = new Set([
  "disk",
  "shared-folder",
  "chardev-file",
  "chardev-log",
  "chardev-device",
  "nvram",
]);

/** Definitions whose paths are kept. With more, each search in a look parses all of them. */
const MOST_KEPT = 1000;

/**
 * Returns the paths in a definition that a single guest may have to itself. Other resources are never
 * labelled for a single guest. Throws as parseDomainText().
 */
export const ownPathsIn: (xml: string) => readonly string[] = keepLast(
  (xml) =>
    listResources(parseDomainText(xml)).flatMap((resource) =>
      OWN.has(resource.kind) && "path" in resource ? [resource.path] : [],
    ),
  MOST_KEPT,
);
