import { ENODATA, EOPNOTSUPP, ERANGE } from "../calls/errno.ts";
import { cString, hostCallError, libc, openFileCalls, readErrno } from "../calls/libc.ts";

/** Limit of the kernel on a value and on a list of names. linux/limits.h XATTR_SIZE_MAX, XATTR_LIST_MAX */
const MOST_BYTES = 65_536;
/**
 * Size that fits nearly every label and mark: clearing the largest buffer each time took longer than the
 * rest.
 */
const USUAL_BYTES = 256;
const WORD_BYTES = 4;

// Created once, since reading or writing a label takes only a few calls of some microseconds each.
const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Shared buffer: each call copies its result before the next call. */
const scratch = new Uint8Array(USUAL_BYTES);
const scratchWords = new Int32Array(scratch.buffer);

/** Path of an open file for the C library, or its descriptor for reading, and its path for messages. */
export interface Place {
  readonly at: Uint8Array | number;
  readonly shown: string;
}

/** The last answer of the kernel, and what it was decoded to: thousands of files have the same. */
class LastAnswer<Value> {
  readonly #words = new Int32Array(USUAL_BYTES / WORD_BYTES);
  #length = -1;
  #value: Value | undefined;

  /** Decodes the first bytes of the shared buffer, unless they are those of the last answer. */
  decode(length: number, decode: (bytes: Uint8Array) => Value): Value {
    // The end of the last word is left from another answer.
    for (let at = length; at < USUAL_BYTES && at % WORD_BYTES !== 0; at += 1) scratch[at] = 0;
    if (this.#value !== undefined && this.#length === length && this.#isSame(length)) return this.#value;
    const value = decode(scratch.subarray(0, length));
    this.#words.set(scratchWords);
    this.#length = length;
    this.#value = value;
    return value;
  }

  #isSame(length: number): boolean {
    for (let word = 0; word * WORD_BYTES < length; word += 1)
      if (this.#words[word] !== scratchWords[word]) return false;
    return true;
  }
}

/** An attribute's name for the C library, with its last values. */
interface Name {
  readonly bytes: Uint8Array;
  readonly read: LastAnswer<string>;
  written: string | undefined;
  writtenBytes: Uint8Array;
}

/** svirt has a few names, which it uses again and again. */
const names = new Map<string, Name>();
const lastList = new LastAnswer<readonly string[]>();

/**
 * Returns the value without a trailing NUL; undefined if it is missing or the file system has no such names.
 * Throws "host-call". getxattr(2)
 */
export function readAttribute(file: Place, text: string): string | undefined {
  const found = readInto(file, text, scratch);
  if (found === "larger") return textOf(readLarger(file, text));
  return found === undefined ? undefined : nameOf(text).read.decode(found, textOf);
}

/** Returns the value unchanged; undefined like readAttribute(). */
export function readAttributeBytes(file: Place, text: string): Uint8Array | undefined {
  const found = readInto(file, text, scratch);
  if (found === "larger") return readLarger(file, text);
  return found === undefined ? undefined : scratch.slice(0, found);
}

function readLarger(file: Place, text: string): Uint8Array {
  const into = new Uint8Array(MOST_BYTES);
  const found = readInto(file, text, into);
  return into.subarray(0, typeof found === "number" ? found : 0);
}

/** Returns the number of bytes of the value; undefined if it is missing. */
function readInto(file: Place, text: string, into: Uint8Array): number | "larger" | undefined {
  const { at, shown } = file;
  const { bytes } = nameOf(text);
  const length = Number(
    typeof at === "number"
      ? openFileCalls().fgetxattr(at, bytes, into, into.length)
      : libc().getxattr(at, bytes, into, into.length),
  );
  if (length >= 0) return length;
  const errno = readErrno();
  if (errno === ERANGE && into === scratch) return "larger";
  if (errno === ENODATA || errno === EOPNOTSUPP) return undefined;
  throw hostCallError(`read ${text} of ${shown}`, errno);
}

/** Sets a text as writeAttributeBytes() sets bytes. */
export function writeAttribute(file: Place, text: string, value: string): boolean {
  const name = nameOf(text);
  if (name.written !== value) {
    name.writtenBytes = encoder.encode(value);
    name.written = value;
  }
  return writeAttributeBytes(file, text, name.writtenBytes);
}

/**
 * Sets an attribute. Returns false if the file system does not support it. Throws "host-call". setxattr(2)
 */
export function writeAttributeBytes({ at, shown }: Place, text: string, value: Uint8Array): boolean {
  const { bytes } = nameOf(text);
  const result =
    typeof at === "number"
      ? openFileCalls().fsetxattr(at, bytes, value, value.length, 0)
      : libc().setxattr(at, bytes, value, value.length, 0);
  if (result === 0) return true;
  const errno = readErrno();
  if (errno === EOPNOTSUPP) return false;
  throw hostCallError(`set ${text} of ${shown}`, errno);
}

/** Removes an attribute, if the file has it. Throws "host-call". removexattr(2) */
export function removeAttribute({ at, shown }: Place, text: string): void {
  const { bytes } = nameOf(text);
  const result =
    typeof at === "number" ? openFileCalls().fremovexattr(at, bytes) : libc().removexattr(at, bytes);
  if (result === 0) return;
  const errno = readErrno();
  if (errno !== ENODATA && errno !== EOPNOTSUPP) throw hostCallError(`remove ${text} of ${shown}`, errno);
}

/** Lists the names of the attributes. Throws "host-call". listxattr(2) */
export function listAttributes(file: Place): readonly string[] {
  const found = listInto(file, scratch);
  if (found !== "larger") return lastList.decode(found, namesIn);
  const into = new Uint8Array(MOST_BYTES);
  const all = listInto(file, into);
  return namesIn(into.subarray(0, all === "larger" ? 0 : all));
}

function listInto({ at, shown }: Place, into: Uint8Array): number | "larger" {
  const length = Number(
    typeof at === "number"
      ? openFileCalls().flistxattr(at, into, into.length)
      : libc().listxattr(at, into, into.length),
  );
  if (length >= 0) return length;
  const errno = readErrno();
  if (errno === ERANGE && into === scratch) return "larger";
  if (errno === EOPNOTSUPP) return 0;
  throw hostCallError(`list the attributes of ${shown}`, errno);
}

function nameOf(text: string): Name {
  const known = names.get(text);
  if (known !== undefined) return known;
  const made: Name = {
    bytes: cString(text),
    read: new LastAnswer(),
    written: undefined,
    writtenBytes: new Uint8Array(),
  };
  names.set(text, made);
  return made;
}

/** Each name ends with a NUL. */
function namesIn(bytes: Uint8Array): readonly string[] {
  return decoder.decode(bytes).split("\0").slice(0, -1);
}

function textOf(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return text.endsWith("\0") ? text.slice(0, -1) : text;
}
