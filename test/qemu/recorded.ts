import fs from "node:fs";
import path from "node:path";
import { parseDomain } from "../../src/domain/document.ts";
import type { Domain } from "../../src/domain/domain.ts";
import { SvirtError } from "../../src/errors.ts";

/** Folder of libvirt's recorded command lines, or undefined without the data. */
export const recordedFolder: string | undefined = folderOf(process.env["SVIRT_TEST_DATA"]);

/** UUID for documents without one. It is masked. */
const SPARE_UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
const LATEST = ".x86_64-latest";

/** Lists the recorded cases with this ending: `args` for a command line, `err` for a refusal. */
export function listRecorded(ending: "args" | "err"): readonly string[] {
  if (recordedFolder === undefined) return [];
  const suffix = `${LATEST}.${ending}`;
  const files = fs.readdirSync(recordedFolder).filter((name) => name.endsWith(suffix));
  return files.map((name) => name.slice(0, -suffix.length)).toSorted();
}

const read = new Map<string, Domain | SvirtError>();

/** Returns the domain of a case, or the refusal. Reads each document once. */
export function readRecorded(name: string): Domain | SvirtError {
  const file = path.join(recordedFolder ?? "", `${name}.xml`);
  const domain = read.get(name) ?? attempt(() => parseDomain(fs.readFileSync(file), SPARE_UUID));
  read.set(name, domain);
  return domain;
}

/** Returns the form in which libvirt stored a case. Without a file of its own, it equals the written form. */
export function readStored(name: string): Uint8Array {
  const [stored, written] = [`${name}${LATEST}.xml`, `${name}.xml`];
  const folder = recordedFolder ?? "";
  return fs.readFileSync(path.join(folder, fs.existsSync(path.join(folder, stored)) ? stored : written));
}

/** Returns the value, or the SvirtError thrown. Any other error is a fault in svirt and is thrown again. */
export function attempt<T>(act: () => T): T | SvirtError {
  try {
    return act();
  } catch (error) {
    if (error instanceof SvirtError) return error;
    throw error;
  }
}

/** Returns the recorded options in comparable form. */
export function readRecordedOptions(name: string): readonly string[] {
  const text = fs.readFileSync(path.join(recordedFolder ?? "", `${name}${LATEST}.args`), "utf8");
  const words = [...text.matchAll(/'([^']*)'|([^\s\\]\S*)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
  const isVariable = (word: string): boolean => /^[A-Z_]+=/.test(word);
  return comparableOptions(words.slice(words.findIndex((word) => !isVariable(word))));
}

const MASKED = new Set(["-S", "-name", "-uuid", "-sandbox", "-msg", "-mon"]);
const RUN_TIME_FOLDER =
  /(?:\/var\/lib|\/var\/run|\/run|\/tmp|\/dev\/hugepages\w*|\/var\/cache)\/(?:[^\s,"']*\/)*(?=[^/\s,"']*)/g;

/** Sorts options and masks the parts that differ between two runs, as the scorer of Stage 3 does. */
export function comparableOptions([_program, ...words]: readonly string[]): readonly string[] {
  return pairOptions(words)
    .filter(([option, value]) => !isMasked(option, value))
    .map(([option, value]) => (value === undefined ? option : `${option} ${mask(option, value)}`))
    .toSorted();
}

function pairOptions(
  words: readonly string[],
): readonly (readonly [option: string, value: string | undefined])[] {
  return words.flatMap((word, at) => {
    const next = words[at + 1];
    if (!word.startsWith("-")) return [];
    return [[word, next?.startsWith("-") ? undefined : next] as const];
  });
}

function isMasked(option: string, value = ""): boolean {
  return MASKED.has(option) || value.includes("id=charmonitor") || value.includes('"id":"masterKey0"');
}

function mask(option: string, value: string): string {
  const plain = value.startsWith("{") ? JSON.stringify(sortKeys(JSON.parse(value))) : value;
  const numbers = option === "-add-fd" ? plain.replace(/=\d+/g, "=@") : plain.replace(/\bfd=\d+/g, "fd=@");
  return numbers.replace(/\/dev\/fdset\/\d+/g, "/dev/fdset/@").replace(RUN_TIME_FOLDER, "@/");
}

/** Masks descriptors, `"3"` or `"3:4:5"`, of which only the count matters. */
function maskNumbers(key: string, value: unknown): unknown {
  const isNumbers = /^(?:vhost)?fds?$/.test(key) && typeof value === "string";
  return isNumbers ? value.replaceAll(/\d+/g, "@") : value;
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(maskNumbers(key, inner))]));
}

function folderOf(root: string | undefined): string | undefined {
  return root === undefined ? undefined : path.join(root, "libvirt/qemuxmlconfdata");
}
