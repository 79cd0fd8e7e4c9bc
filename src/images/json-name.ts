import { SvirtError } from "../errors.ts";
import type { ImageName } from "./element.ts";

const PREFIX = "json:";
const FILE_DRIVERS: ReadonlySet<string> = new Set(["file", "host_device"]);
const FORMAT_DRIVERS: ReadonlySet<string> = new Set(["raw", "qcow2", "qed"]);
/** Options that change neither the opened file nor its content. svirt passes its own to QEMU. */
const HARMLESS: ReadonlySet<string> = new Set([
  "read-only",
  "auto-read-only",
  "discard",
  "detect-zeroes",
  "aio",
  "locking",
  "node-name",
  "cache.direct",
  "cache.no-flush",
]);
const DEEPEST = 4;

type Options = ReadonlyMap<string, unknown>;

/**
 * Reports whether a name uses QEMU's `json:{...}` pseudo-protocol. qemu(1), "Device URL Syntax" and block.c
 * parse_json_filename()
 */
export function isJsonName(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * Reads `json:{"driver":"qcow2","file":{"driver":"file","filename":"/a"}}`, or with dotted keys
 * (`"file.filename"`). The path must be absolute: QEMU would resolve a relative path from its working
 * directory. Refuses any option leading elsewhere (`backing`, `offset`, `fd`, ...). Throws "unsupported".
 */
export function parseJsonName(name: string): ImageName {
  const options = flatten(parseObject(name), "", DEEPEST);
  const { path, format, used } = followFiles(options);
  const strange = [...options.keys()].find((key) => !used.has(key) && !isHarmless(key));
  if (strange !== undefined) throw refuse(`its option "${strange}" is not supported`);
  if (!path.startsWith("/")) throw refuse(`its path "${path}" is not absolute`);
  return { path, ...(format === undefined ? {} : { format }) };
}

/**
 * Descends from the outermost layer to the layer with the file. Only the outermost format may be other than
 * raw.
 */
function followFiles(options: Options): { path: string; format?: string; used: Set<string> } {
  const used = new Set<string>();
  const formats: string[] = [];
  for (let prefix = "", depth = 0; depth < DEEPEST; prefix += "file.", depth += 1) {
    const driver = take(options, used, `${prefix}driver`);
    if (driver !== undefined && !FILE_DRIVERS.has(driver)) formats.push(driver);
    const path = take(options, used, `${prefix}filename`);
    if (path !== undefined) return { path, used, ...decideFormat(formats) };
  }
  decideFormat(formats);
  throw refuse("it names no file");
}

function decideFormat([outer, ...inner]: readonly string[]): { readonly format?: string } {
  const strange = [outer, ...inner].find((driver) => driver !== undefined && !FORMAT_DRIVERS.has(driver));
  if (strange !== undefined) throw refuse(`the driver "${strange}" is not supported`);
  if (inner.some((driver) => driver !== "raw")) throw refuse("it nests one format in another");
  return outer === undefined ? {} : { format: outer };
}

function take(options: Options, used: Set<string>, key: string): string | undefined {
  const value = options.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.includes("\0")) throw refuse(`its "${key}" is not a text`);
  used.add(key);
  return value;
}

function isHarmless(key: string): boolean {
  return HARMLESS.has(key.replace(/^(?:file\.)+/, ""));
}

function parseObject(name: string): object {
  try {
    const value: unknown = JSON.parse(name.slice(PREFIX.length));
    if (isObject(value)) return value;
  } catch {
    // Same refusal as for JSON that is not an object: the parser's message does not help.
  }
  throw refuse("it is not a JSON object");
}

function flatten(value: object, prefix: string, depth: number): Map<string, unknown> {
  if (depth === 0) throw refuse("it is nested too deeply");
  const flat = new Map<string, unknown>();
  for (const [key, inner] of Object.entries(value)) {
    const entries = isObject(inner)
      ? flatten(inner, `${prefix}${key}.`, depth - 1)
      : [[prefix + key, inner] as const];
    for (const [path, leaf] of entries) {
      // A name may have both "file.filename" and {"file":{"filename":...}}: QEMU and svirt could choose
      // differently.
      if (flat.has(path)) throw refuse(`it has the key "${path}" twice`);
      flat.set(path, leaf);
    }
  }
  return flat;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(why: string): SvirtError {
  return new SvirtError(`Cannot use a json: image name: ${why}`, {
    kind: "unsupported",
    remedy: "Write a plain path into the image: qemu-img rebase -u -b FILE -F FORMAT.",
  });
}
