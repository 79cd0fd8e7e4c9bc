import { eagerImportsOf, importsOf, type Sources } from "./source-rules.ts";

/** A file of this many lines is an idea of its own. */
const OWN_IDEA_LINES = 40;
/** Two files of more lines together stay apart. */
const MOST_LINES = 150;
/** An importer of this many files in and below its folder puts parts together, such as a table of formats. */
const PARTS = 3;
const REQUIRED = /\brequire\(\s*"(\.[^"]+)"/g;

/**
 * Lists files that belong into their only importer, as "file -> importer": small files beside it that it
 * loads with itself, and that state no rule of the product.
 */
export function listNeedlessFiles(sources: Sources): string[] {
  const importers = importersOf(sources);
  return [...sources].flatMap(([file, text]) => {
    const [importer, other] = importers.get(file) ?? [];
    if (importer === undefined || other !== undefined || linesOf(text) >= OWN_IDEA_LINES) return [];
    const into = sources.get(importer) ?? "";
    const isApart =
      folderOf(importer) !== folderOf(file) ||
      /^\/\/ Rule: /m.test(text) ||
      !isLoadedWith(importer, into, file) ||
      partsOf(importer, into).length >= PARTS ||
      linesOf(text) + linesOf(into) > MOST_LINES;
    return isApart ? [] : [`${file} -> ${importer}`];
  });
}

/** Returns the files that import each file, for values or types, at once or when called. */
function importersOf(sources: Sources): ReadonlyMap<string, readonly string[]> {
  const importers = new Map<string, string[]>();
  for (const [file, text] of sources) {
    const required = [...text.matchAll(REQUIRED)].map(([, specifier = ""]) => `import "${specifier}";`);
    for (const target of new Set([...importsOf(file, text), ...importsOf(file, required.join("\n"))]))
      importers.set(target, [...(importers.get(target) ?? []), file]);
  }
  return importers;
}

/** Reports whether a file is loaded with its importer; a file of types alone is, too. */
function isLoadedWith(importer: string, text: string, file: string): boolean {
  const onDemand = /(?:\bimport\(|\brequire\()\s*"(\.[^"]+)"/g;
  const later = [...text.matchAll(onDemand)].map(([, specifier = ""]) => `import "${specifier}";`);
  return (
    eagerImportsOf(importer, text).includes(file) || !importsOf(importer, later.join("\n")).includes(file)
  );
}

function partsOf(file: string, text: string): readonly string[] {
  return importsOf(file, text).filter((target) => target.startsWith(folderOf(file)));
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/") + 1);
}

function linesOf(text: string): number {
  return text.split("\n").length - 1;
}
