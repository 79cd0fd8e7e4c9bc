import { unlessRefused } from "../../errors.ts";
import type { Mount } from "../../host/mounts.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { isWithin } from "../../plan/folder-of.ts";
import { listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { readRecords } from "../../state/record.ts";
import { listNamedPaths, listNamedVolumes } from "../definition-names.ts";
import { listPoolFolders } from "../pool-folders.ts";
import { isServerMount } from "../pool-mount.ts";

/** Formats declared by the definitions and the running guests. */
export interface DeclaredFormats {
  /**
   * Returns the declared format of a file: raw if any domain declares it raw or has it for anything but a
   * disk; undefined without a declaration.
   */
  of(file: FileId): string | undefined;
}

/** Domain with a file, and its paths for it. */
interface Naming {
  readonly xml: string;
  readonly paths: ReadonlySet<string>;
}

/**
 * Domains by each path that they name and by the file there, and the folders of active pools by their names.
 */
interface Index {
  readonly naming: ReadonlyMap<string, readonly Naming[]>;
  readonly folders: ReadonlyMap<string, string>;
}

/** Returns the formats of all domains, whose texts are searched when the first file is asked for. */
export function declaredFormats(instance: Instance): DeclaredFormats {
  let index: Index | undefined;
  return {
    of(file) {
      index ??= indexNames(instance);
      const { folders, naming } = index;
      const found = [...(naming.get(file.path) ?? []), ...(naming.get(fileKey(file)) ?? [])];
      if (found.length === 0) return undefined;
      // Reading a definition takes long.
      const { formatsIn }: typeof import("./formats-in-domain.ts") = require("./formats-in-domain.ts");
      const formats = found.flatMap(({ paths, xml }) =>
        formatsIn(xml, { paths, pathOf: (volume) => volumePath(volume, folders) }),
      );
      return formats.includes("raw") ? "raw" : formats[0];
    },
  };
}

function indexNames(instance: Instance): Index {
  const naming = new Map<string, Naming[]>();
  const folders = new Map(listPoolFolders(instance).map(({ name, path }) => [name, path]));
  const servers = instance.host.listMounts().filter(isServerMount);
  const keys = new Map<string, readonly string[]>();
  for (const xml of listTexts(instance)) {
    const named = new Map<string, Set<string>>();
    for (const path of [...listNamedPaths(xml), ...volumePaths(xml, folders)]) {
      const found = keys.get(path) ?? keysOf(instance, path, servers);
      keys.set(path, found);
      for (const key of found) named.set(key, (named.get(key) ?? new Set()).add(path));
    }
    for (const [key, paths] of named) naming.set(key, [...(naming.get(key) ?? []), { xml, paths }]);
  }
  return { naming, folders };
}

function listTexts(instance: Instance): readonly string[] {
  const defined = listDefinitionNames(instance).flatMap(
    (name) => unlessRefused(() => readDefinition(instance, name)?.xml) ?? [],
  );
  return [...defined, ...readRecords(instance).map(({ xml }) => xml)];
}

/**
 * Returns the path, and the key of its file. A server may not answer, so a file there is known by its path
 * alone.
 */
function keysOf({ host }: Instance, path: string, servers: readonly Mount[]): readonly string[] {
  if (belongsToHost(path) || servers.some((mount) => isWithin(path, mount.path))) return [path];
  const facts = unlessRefused(() => host.inspectFile(path));
  return facts === undefined ? [path] : [path, fileKey(facts.id)];
}

function volumePaths(xml: string, folders: Index["folders"]): readonly string[] {
  return listNamedVolumes(xml).flatMap((source) => volumePath(source, folders) ?? []);
}

function volumePath(
  { pool, volume }: { readonly pool: string; readonly volume: string },
  folders: Index["folders"],
): string | undefined {
  const folder = folders.get(pool);
  return folder === undefined ? undefined : `${folder}/${volume}`;
}
