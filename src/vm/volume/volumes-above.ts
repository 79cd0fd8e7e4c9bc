import { unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { parseClaimed } from "../../images/header.ts";
import { resolveImageName } from "../../images/name.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { type FileFormats, fileFormats } from "../../resolve/formats/file-formats.ts";
import type { Instance } from "../../state/instance.ts";
import { problemOfName } from "../../storage/volume/volume-name.ts";
import { isVolume, pathIn } from "./find-volume.ts";
import {
  inspectNamed,
  isNameless,
  isOrLeadsTo,
  leadsTo,
  type NamedImage,
  namedImage,
} from "./image-names.ts";
import { isBesideState, type SearchPass, UnfollowedPaths } from "./unlocked-search.ts";

/** Length of a file's beginning that has the whole header of nearly every image. */
const BEGINNING_BYTES = 4096;

/**
 * Files that an image claims to name, as it writes them, with their formats; undefined: its beginning does
 * not tell.
 */
type Names = readonly { readonly name: string; readonly format: string | undefined }[] | undefined;

/** Search for the volumes above a file. */
interface Search {
  readonly file: FileId;
  readonly formats: FileFormats;
  readonly vain: Set<string>;
  readonly pass: SearchPass;
  /** Paths that are not looked for. */
  readonly except: ReadonlySet<string>;
}

/**
 * Returns the path of a volume whose chain has the file. A header counts if the volume has its format, as
 * fileFormats() decides: a guest writes any header into its raw disk. Only the beginning of each volume is
 * read, in one call for each folder, and a file that many volumes name is inspected once: a pool may have
 * many thousands. A folder beside svirt's own files is read under the registry's lock alone. Throws
 * UnfollowedPaths then for paths that were not followed without the lock.
 */
export function findAbove(
  instance: Instance,
  file: FileId,
  {
    except,
    folders,
    pass,
  }: {
    readonly folders: readonly FileFacts[];
    readonly pass: SearchPass;
    /** Paths of images that may be above the file. */
    readonly except: ReadonlySet<string>;
  },
): string | undefined {
  const search = { file, formats: fileFormats(instance), vain: new Set<string>(), pass, except };
  for (const folder of new Map(folders.map((one) => [one.id.path, one])).values()) {
    const isBeside = isBesideState(instance, folder);
    if (isBeside && !pass.isLocked) continue;
    const above = findIn(instance, folder, { ...search, isBeside });
    if (above !== undefined) return above;
  }
  return undefined;
}

/** Follows paths in headers, so that a search under the registry's lock may do so. */
export function followPaths(instance: Instance, file: FileId, paths: readonly string[]): void {
  const search = { file, formats: fileFormats(instance), vain: new Set<string>() };
  for (const path of paths)
    unlessRefused(() => leadsTo(instance, { image: { path, as: "claimed" }, ...search }));
}

function findIn(
  instance: Instance,
  folder: FileFacts,
  search: Search & { readonly isBeside: boolean },
): string | undefined {
  const images = instance.host
    .judgeBeginnings(folder.id, BEGINNING_BYTES, judge)
    .map(({ found, name }) => ({ name, path: pathIn(folder, name), names: found.names }))
    .filter(({ path }) => path !== search.file.path && !search.except.has(path))
    .filter(({ name }) => problemOfName(name) === undefined)
    .map(({ names, path }) => ({ path, below: pathsOf(path, names) }));
  if (search.isBeside) refuseUnfollowed(images, search.pass);
  return images.find(({ below, path }) =>
    below === undefined
      ? isAbove(instance, path, search)
      : below.some((image) => isOrLeadsTo(instance, { image, ...search })) &&
        hasNames(instance, path, search),
  )?.path;
}

function refuseUnfollowed(
  images: readonly { readonly path: string; readonly below: readonly NamedImage[] | undefined }[],
  { followed }: SearchPass,
): void {
  if (followed === undefined) return;
  const paths = new Set(images.flatMap(({ below, path }) => below?.map((image) => image.path) ?? [path]));
  const others = [...paths].filter((path) => !followed.has(path));
  if (others.length > 0) throw new UnfollowedPaths(others);
}

/** Returns the names in an image's header; undefined for a file that names no other, as most do. */
function judge(bytes: Uint8Array | undefined): { readonly names: Names } | undefined {
  if (bytes === undefined) return { names: undefined };
  const header = unlessRefused(() => parseClaimed(bytes, BEGINNING_BYTES));
  if (header === "raw") return undefined;
  if (header === undefined) return { names: undefined };
  const { backingFile, backingFormat: format, dataFile } = header;
  const names = [
    ...(backingFile === undefined ? [] : [{ name: backingFile, format }]),
    ...(dataFile === undefined ? [] : [{ name: dataFile, format: "raw" }]),
  ];
  return names.length === 0 ? undefined : { names };
}

/** Resolves the names in the header of the image at a path; undefined if svirt cannot resolve one. */
function pathsOf(path: string, names: Names): readonly NamedImage[] | undefined {
  return (
    names &&
    unlessRefused(() =>
      names.map(({ format, name }) => {
        const found = resolveImageName(path, name);
        return namedImage(found.path, found.format ?? format);
      }),
    )
  );
}

/** Whether an entry has the format of which its beginning claims to be. */
function hasNames(instance: Instance, path: string, { formats }: Search): boolean {
  const facts = inspectNamed(instance, path);
  return facts?.type === "file" && !isNameless(formats.of(facts));
}

/** Whether an entry is a volume above the searched file, by all that can be read of it. */
function isAbove(instance: Instance, path: string, search: Search): boolean {
  const facts = inspectNamed(instance, path);
  return (
    facts?.type === "file" &&
    isVolume(facts, path) &&
    fileKey(facts.id) !== fileKey(search.file) &&
    leadsTo(instance, { image: { path, as: "recorded" }, ...search })
  );
}
