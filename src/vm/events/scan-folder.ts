import { unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";

/** A file, as it was when it was read. */
interface SeenFile<Value> {
  /** Differs for each file that was placed at the path. */
  readonly mark: string;
  readonly value: Value;
}

/** Files of a folder by their names without the ending. */
export type SeenFiles<Value> = ReadonlyMap<string, SeenFile<Value>>;

/** Files of interest in a folder. */
export interface ScannedFolder<Value> {
  readonly folder: string;
  readonly ending: string;
  /** Returns undefined for a file that is not as svirt writes it: the folder is then scanned as if it were unchanged. */
  parse(text: string): Value | undefined;
}

/** Returns the files of a folder. Reads only those that were replaced since the scan before. */
export function scanFolder<Value>(
  { host }: Instance,
  { ending, folder, parse }: ScannedFolder<Value>,
  before: SeenFiles<Value>,
): SeenFiles<Value> {
  const seen = new Map<string, SeenFile<Value>>();
  for (const file of host.listFolder(folder)) {
    if (!file.endsWith(ending)) continue;
    const [name, path] = [file.slice(0, file.length - ending.length), `${folder}/${file}`];
    const facts = unlessRefused(() => host.inspectFile(path));
    if (facts?.type !== "file") continue;
    const mark = `${facts.id.inode} ${facts.times.modifiedNs}`;
    const known = before.get(name);
    const value = known?.mark === mark ? known.value : (read(host, path, parse) ?? known?.value);
    if (value !== undefined) seen.set(name, { mark, value });
  }
  return seen;
}

function read<Value>(
  host: Instance["host"],
  path: string,
  parse: ScannedFolder<Value>["parse"],
): Value | undefined {
  const text = unlessRefused(() => host.readText(path));
  return text === undefined ? undefined : parse(text);
}
