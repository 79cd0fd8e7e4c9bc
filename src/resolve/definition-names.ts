import { resolveReferences } from "../xml/references.ts";

/** A possible path of a file in the stored form of a definition, which svirt writes itself. */
const PATH = /['>](\/[^'<>]*)['<]/g;
/** A volume of a pool in this form. */
const VOLUME = /<source [^>]*?\bpool='([^']*)'[^>]*?\bvolume='([^']*)'/g;

/**
 * Lists the possible paths among the texts of a stored definition. Its structure is not read: it takes long.
 */
export function listNamedPaths(xml: string): readonly string[] {
  return [...xml.matchAll(PATH)].map(([, text = ""]) => textOf(text));
}

/** Returns the element of a stored snapshot with the file of the guest's memory; empty if it has none. */
export function memoryElement(xml: string): string {
  return /\n {2}<memory [^>]*>/.exec(xml)?.[0] ?? "";
}

/** Lists the volumes named by their pools in a stored definition. */
export function listNamedVolumes(xml: string): readonly { readonly pool: string; readonly volume: string }[] {
  return [...xml.matchAll(VOLUME)].map(([, pool = "", volume = ""]) => ({
    pool: textOf(pool),
    volume: textOf(volume),
  }));
}

/** Returns a document's text for this source. */
function textOf(source: string): string {
  const text = resolveReferences(source);
  return typeof text === "string" ? text : source;
}
