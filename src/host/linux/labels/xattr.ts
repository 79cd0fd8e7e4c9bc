import type { FileAttributes } from "../../file-attributes.ts";
import { ENODATA, EOPNOTSUPP, ERANGE } from "../calls/errno.ts";
import { cString, hostCallError, libc, openFileCalls, readErrno } from "../calls/libc.ts";

/** Limit of the kernel on a value and on a list of names. linux/limits.h XATTR_SIZE_MAX, XATTR_LIST_MAX */
const MOST_BYTES = 65_536;
/**
 * Size that fits nearly every label and mark: clearing the largest buffer each time took longer than the
 * rest.
 */
const USUAL_BYTES = 256;

// Created once, since reading or writing a label takes only a few calls of some microseconds each.
const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Shared buffer: each call copies its result before the next call. */
const scratch = new Uint8Array(USUAL_BYTES);
const namesMade = new Map<string, Uint8Array>();

/**
 * Returns the attributes of the file at a path below /proc/self/fd. Throws "host-call" with the path `shown`.
 */
export function attributesAt({ at, shown }: { readonly at: string; readonly shown: string }): FileAttributes {
  return attributesOf({ at: cString(at), shown });
}

/**
 * Returns the attributes of a file that is open for reading: the kernel looks up no path, which takes half of
 * each call. Throws "host-call" with the path `shown`.
 */
export function attributesOfOpen(fd: number, shown: string): FileAttributes {
  return attributesOf({ at: fd, shown });
}

function attributesOf(file: Place): FileAttributes {
  return {
    listXattrs: () => list(file),
    getXattr(name) {
      const bytes = read(file, name, scratch);
      return bytes === undefined ? undefined : withoutNul(decoder.decode(bytes));
    },
    setXattr: (name, value) => write(file, name, encoder.encode(value)),
    removeXattr: (name) => remove(file, name),
  };
}

/** Labels an open file. Returns false if its file system keeps no labels. Throws "host-call". */
export function setLabelOf(fd: number, label: string): boolean {
  return setxattr(`/proc/self/fd/${fd}`, "security.selinux", encoder.encode(`${label}\0`));
}

/**
 * Returns the value without a trailing NUL; undefined if it is missing or the file system has no such names.
 */
export function getxattr(path: string, name: string): string | undefined {
  return attributesAt({ at: path, shown: path }).getXattr(name);
}

/** Returns the value unchanged; undefined like getxattr(). */
export function getxattrBytes(path: string, name: string): Uint8Array | undefined {
  return read({ at: cString(path), shown: path }, name, scratch)?.slice();
}

/**
 * Sets an attribute. Follows symlinks: pass a path below /proc/self/fd. Returns false if the file system does
 * not support the attribute. Throws "host-call".
 */
export function setxattr(path: string, name: string, value: Uint8Array): boolean {
  return write({ at: cString(path), shown: path }, name, value);
}

/** Path of an open file for the C library, or its descriptor for reading, and its path for messages. */
interface Place {
  readonly at: Uint8Array | number;
  readonly shown: string;
}

/** Reads into the buffer, or into a larger buffer if the value does not fit. getxattr(2) */
function read(file: Place, name: string, into: Uint8Array): Uint8Array | undefined {
  const { at } = file;
  const length =
    typeof at === "number"
      ? openFileCalls().fgetxattr(at, cName(name), into, into.length)
      : libc().getxattr(at, cName(name), into, into.length);
  if (length >= 0) return into.subarray(0, Number(length));
  const errno = readErrno();
  if (errno === ERANGE && into.length < MOST_BYTES) return read(file, name, new Uint8Array(MOST_BYTES));
  if (errno === ENODATA || errno === EOPNOTSUPP) return undefined;
  throw hostCallError(`read ${name} of ${file.shown}`, errno);
}

/** setxattr(2) */
function write({ at, shown }: Place, name: string, value: Uint8Array): boolean {
  const result =
    typeof at === "number"
      ? openFileCalls().fsetxattr(at, cName(name), value, value.length, 0)
      : libc().setxattr(at, cName(name), value, value.length, 0);
  if (result === 0) return true;
  const errno = readErrno();
  if (errno === EOPNOTSUPP) return false;
  throw hostCallError(`set ${name} of ${shown}`, errno);
}

/** removexattr(2) */
function remove({ at, shown }: Place, name: string): void {
  const result =
    typeof at === "number"
      ? openFileCalls().fremovexattr(at, cName(name))
      : libc().removexattr(at, cName(name));
  if (result === 0) return;
  const errno = readErrno();
  if (errno !== ENODATA && errno !== EOPNOTSUPP) throw hostCallError(`remove ${name} of ${shown}`, errno);
}

/** Lists the names, each with a NUL at its end. listxattr(2) */
function list({ at, shown }: Place, into: Uint8Array = scratch): readonly string[] {
  const length =
    typeof at === "number"
      ? openFileCalls().flistxattr(at, into, into.length)
      : libc().listxattr(at, into, into.length);
  if (length >= 0)
    return decoder
      .decode(into.subarray(0, Number(length)))
      .split("\0")
      .slice(0, -1);
  const errno = readErrno();
  if (errno === ERANGE && into.length < MOST_BYTES) return list({ at, shown }, new Uint8Array(MOST_BYTES));
  if (errno === EOPNOTSUPP) return [];
  throw hostCallError(`list the attributes of ${shown}`, errno);
}

/** Keeps svirt's few repeated names. */
function cName(name: string): Uint8Array {
  const made = namesMade.get(name) ?? cString(name);
  namesMade.set(name, made);
  return made;
}

function withoutNul(text: string): string {
  return text.endsWith("\0") ? text.slice(0, -1) : text;
}
