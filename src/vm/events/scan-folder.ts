import { unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";

/** A file, as it was when it was read. */
interface SeenFile<Value> {
  /** Differs for each file placed at the path. */
  readonly mark: string;
  readonly value: Value;
}

/** Files of a folder by their names without the ending. */
export type SeenFiles<Value> = ReadonlyMap<string, SeenFile<Value>>;

/** Files of interest in a folder. */
export interface ScannedFolder<Value> {
  readonly folder: string;
  readonly ending: string;
  /**
   * Returns undefined for a file that is not as svirt writes it: the folder is then scanned as if it were
   * unchanged.
   */
  parse(text: string): Value | undefined;
  /** Returns false for the name, without the ending, of a file that is not svirt's. */
  isOwn?(name: string): boolean;
  /** The files are not read: parse() gets an empty text. */
  readonly isUnread?: true;
}

/** Returns the files of a folder. Reads only files replaced since the scan before. */
export function scanFolder<Value>(
  { host }: Instance,
  { ending, folder, isOwn, isUnread, parse }: ScannedFolder<Value>,
  before: SeenFiles<Value>,
): SeenFiles<Value> {
  const seen = new Map<string, SeenFile<Value>>();
  for (const file of host.listFolder(folder)) {
    if (!file.endsWith(ending)) continue;
    const [name, path] = [file.slice(0, file.length - ending.length), `${folder}/${file}`];
    if (isOwn?.(name) === false) continue;
    const known = before.get(name);
    // A file that cannot be looked at now, as for lack of descriptors, is as it was.
    const now =
      unlessRefused(() => lookAt(host, path, { known, parse, ...(isUnread === true ? { isUnread } : {}) })) ??
      known;
    if (now !== undefined && now !== "none") seen.set(name, now);
  }
  return seen;
}

/**
 * Returns a file; "none" if it is missing, no file, or was never as svirt writes it. Throws the errors of the
 * host.
 */
function lookAt<Value>(
  host: Instance["host"],
  path: string,
  {
    isUnread,
    known,
    parse,
  }: Pick<ScannedFolder<Value>, "isUnread" | "parse"> & { readonly known: SeenFile<Value> | undefined },
): SeenFile<Value> | "none" {
  const facts = host.inspectFile(path);
  if (facts?.type !== "file") return "none";
  const mark = `${facts.id.inode} ${facts.times.modifiedNs}`;
  if (known?.mark === mark) return known;
  const text = isUnread === true ? "" : host.readText(path);
  const value = (text === undefined ? undefined : parse(text)) ?? known?.value;
  return value === undefined ? "none" : { mark, value };
}
