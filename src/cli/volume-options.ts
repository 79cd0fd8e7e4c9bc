import { parseSize } from "../domain/forms/parse-size.ts";
import { SvirtError } from "../errors.ts";
import type { FilePart } from "../host/new-file.ts";
import type { Call, Operand, Option } from "./command.ts";

/** Operand of commands creating a volume. */
export const NEW_POOL_OPERAND: Operand = {
  name: "pool",
  summary: "name or uuid of a pool, or the absolute path of a folder",
};

/** Option of commands creating a volume. */
export const PREALLOCATION_OPTION: Option = {
  name: "prealloc-metadata",
  summary:
    "write the tables of a qcow2 volume for all of it, and allocate its disk space unless the allocation is smaller",
};

/** Option of commands copying a volume. They have no tables to write. */
export const NO_PREALLOCATION_OPTION: Option = {
  name: "prealloc-metadata",
  summary: "refused: a copy has tables for its data only",
};

/** Option of commands copying a volume. */
export const REFLINK_OPTION: Option = {
  name: "reflink",
  summary: "fail where the file system cannot share the space of both volumes",
};

/** Options of commands copying a part of a volume. */
export const PART_OPTIONS: readonly Option[] = [
  { name: "offset", value: "BYTES", summary: "first byte of the part in the volume" },
  { name: "length", value: "BYTES", summary: "most bytes of the part; 0 or a negative number: all" },
  { name: "sparse", summary: "keep holes" },
];

/** Returns the part of a volume. Throws "usage" with virsh's message. */
export function partOf({ options }: Call): Pick<FilePart, "offset" | "mostBytes" | "isSparse"> {
  const length = numberOf("length", options.get("length") ?? "0");
  return {
    offset: numberOf("offset", options.get("offset") ?? "0"),
    // A negative length of virsh is a number that no file has. vshCommandOptULongLongWrap() of libvirt's
    // tools
    mostBytes: length > 0 ? length : undefined,
    isSparse: options.has("sparse"),
  };
}

function numberOf(name: "offset" | "length", word: string): number {
  const isNumber = name === "length" ? /^-?[0-9]{1,16}$/ : /^[0-9]{1,16}$/;
  if (isNumber.test(word) && Number.isSafeInteger(Number(word))) return Number(word);
  throw new SvirtError(`Numeric value '${word}' for <${name}> option is malformed or out of range`, {
    kind: "usage",
    remedy: "Write a number of bytes, without a unit.",
  });
}

/** Returns the flags of a copy. */
export function copyFlags({ options }: Call) {
  return {
    isMetadataPreallocated: options.has("prealloc-metadata"),
    isReflink: options.has("reflink"),
  };
}

/** Returns the declared format of a copied volume. Throws "usage". */
export function inputFormat({ options }: Call): "raw" | "qcow2" | undefined {
  const word = options.get("inputformat");
  if (word === undefined || word === "raw" || word === "qcow2") return word;
  throw new SvirtError(`Cannot copy a volume of the format '${word}'`, {
    kind: "usage",
    remedy: "Write --inputformat raw or --inputformat qcow2.",
  });
}

/** Returns the bytes of a size. Throws "usage" with virsh's message. */
export function sizeOf(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new SvirtError(`Malformed size ${text}`, {
    kind: "usage",
    remedy: "Write bytes, or a number with a unit: 10G, 512MiB.",
  });
}
