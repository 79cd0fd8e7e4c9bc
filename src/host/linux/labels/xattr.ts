import { constants } from "node:fs";
import type { FileAttributes } from "../../file-attributes.ts";
import { basicCalls, cString } from "../calls/libc.ts";
import {
  listAttributes,
  type Place,
  readAttribute,
  readAttributeBytes,
  removeAttribute,
  writeAttribute,
  writeAttributeBytes,
} from "./xattr-calls.ts";

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
/** Opening a regular file, or a file that took its name, has no effect. */
export const FOR_READING =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC;
const FOR_READING_AGAIN = FOR_READING & ~constants.O_NOFOLLOW;

/**
 * Returns the attributes of the file at a path below /proc/self/fd. Throws "host-call" with the path `shown`.
 */
export function attributesAt({ at, shown }: { readonly at: string; readonly shown: string }): FileAttributes {
  const place = { at: cString(at), shown };
  return {
    listXattrs: () => listAttributes(place),
    getXattr: (name) => readAttribute(place, name),
    setXattr: (name, value) => writeAttribute(place, name, value),
    removeXattr: (name) => removeAttribute(place, name),
  };
}

/** An open file, or how it is found. */
interface Opened<Facts> {
  /** A descriptor for reading: the kernel looks up no path, which takes most of each call. */
  readonly at: number | string;
  readonly shown: string;
  readonly facts: Facts;
}

/** Attributes of an open file, with facts about it. Throws "host-call" with the path `shown`. */
export class OpenAttributes<Facts> implements FileAttributes {
  readonly facts: Facts;
  protected place: Place;

  constructor({ at, facts, shown }: Opened<Facts>) {
    this.facts = facts;
    this.place = { at: typeof at === "string" ? cString(at) : at, shown };
  }

  listXattrs(): readonly string[] {
    return listAttributes(this.place);
  }

  getXattr(name: string): string | undefined {
    return readAttribute(this.place, name);
  }

  setXattr(name: string, value: string): boolean {
    return writeAttribute(this.place, name, value);
  }

  removeXattr(name: string): void {
    removeAttribute(this.place, name);
  }
}

/**
 * Attributes of a regular file that is open for inspection only. The first attribute that the file keeps
 * opens it for reading, since more changes follow. Not before: the policy lets svirt read no file that it may
 * not label, and would log the attempt.
 */
export class InspectedAttributes<Facts> extends OpenAttributes<Facts> implements Disposable {
  #again: number | undefined;

  override setXattr(name: string, value: string): boolean {
    const isKept = super.setXattr(name, value);
    if (isKept) this.#openAgain();
    return isKept;
  }

  [Symbol.dispose](): void {
    if (this.#again !== undefined && this.#again >= 0) basicCalls().close(this.#again);
  }

  #openAgain(): void {
    const { at, shown } = this.place;
    if (this.#again !== undefined || typeof at === "number") return;
    this.#again = basicCalls().open(at, FOR_READING_AGAIN, 0);
    if (this.#again >= 0) this.place = { at: this.#again, shown };
  }
}

/** Labels an open file. Returns false if its file system keeps no labels. Throws "host-call". */
export function setLabelOf(fd: number, label: string): boolean {
  return writeAttribute(placeAt(`/proc/self/fd/${fd}`), "security.selinux", `${label}\0`);
}

/**
 * Returns the value without a trailing NUL; undefined if it is missing or the file system has no such names.
 */
export function getxattr(path: string, name: string): string | undefined {
  return readAttribute(placeAt(path), name);
}

/** Returns the value unchanged; undefined like getxattr(). */
export function getxattrBytes(path: string, name: string): Uint8Array | undefined {
  return readAttributeBytes(placeAt(path), name);
}

/**
 * Sets an attribute. Follows symlinks: pass a path below /proc/self/fd. Returns false if the file system does
 * not support the attribute. Throws "host-call".
 */
export function setxattr(path: string, name: string, value: Uint8Array): boolean {
  return writeAttributeBytes(placeAt(path), name, value);
}

function placeAt(path: string): Place {
  return { at: cString(path), shown: path };
}
