import { importsOf, type Sources } from "./source-rules.ts";

interface Link {
  readonly from: string;
  readonly to: string;
  /** "file -> target" */
  readonly named: string;
}

/**
 * Lists the imports, also of types, that lead from a folder back to it through the files and folders beside
 * it, as "file -> target". A circle of types between files alone is allowed.
 */
export function listFolderCircles(sources: Sources): string[] {
  const imports = [...sources].flatMap(([file, text]) =>
    importsOf(file, text).map((target) => ({ file, target })),
  );
  const folders = new Set([...sources.keys()].flatMap(listFoldersAround));
  return [...folders].flatMap((folder) => {
    const inside = imports.filter(({ file, target }) => file.startsWith(folder) && target.startsWith(folder));
    const links = inside.map(({ file, target }) => ({
      from: entryOf(file, folder),
      to: entryOf(target, folder),
      named: `${file} -> ${target}`,
    }));
    return listCircles(links.filter(({ from, to }) => from !== to));
  });
}

function listCircles(links: readonly Link[]): string[] {
  const byStart = Map.groupBy(links, ({ from }) => from);
  const reached = new Map([...byStart.keys()].map((start) => [start, listReached(start, byStart)]));
  return links
    .filter(({ from, to }) => (isFolder(from) || isFolder(to)) && reached.get(to)?.has(from) === true)
    .map(({ named }) => named);
}

function listReached(start: string, byStart: ReadonlyMap<string, readonly Link[]>): ReadonlySet<string> {
  const reached = new Set<string>([start]);
  for (const entry of reached) for (const { to } of byStart.get(entry) ?? []) reached.add(to);
  return reached;
}

/** Returns "", "vm/", "vm/end/" for "vm/end/destroy.ts". */
function listFoldersAround(file: string): string[] {
  const parts = file.split("/");
  return parts.map((_, depth) =>
    parts
      .slice(0, depth)
      .map((part) => `${part}/`)
      .join(""),
  );
}

/** Returns the entry of the folder that contains a file: the file itself, or a folder below. */
function entryOf(file: string, folder: string): string {
  return file.slice(folder.length).split("/")[0] ?? "";
}

function isFolder(entry: string): boolean {
  return !entry.endsWith(".ts");
}
