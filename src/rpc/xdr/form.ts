import {
  type Cursor,
  leftBytes,
  padded,
  takeBytes,
  takeView,
  UNIT_BYTES,
  undecodable,
  unencodable,
} from "./bytes.ts";

/** Form of a value in XDR, by which it is encoded and decoded. RFC 4506 */
export interface Form<Value> {
  /**
   * Bytes of the shortest value. An array of more values than the message has room for is refused before it
   * is made.
   */
  readonly leastBytes: number;
  /** Appends the value's bytes. Throws as unencodable() if the value is longer than declared. */
  encode(value: Value, to: Uint8Array[]): void;
  /** Throws as undecodable(). */
  decode(from: Cursor): Value;
}

/** Type of the values of a form. */
export type ValueOf<Of> = Of extends Form<infer Value> ? Value : never;

/** A number of 32 bits with a sign: also char, short, enum and bool of C. */
export const int: Form<number> = {
  leastBytes: UNIT_BYTES,
  encode: (value, to) => to.push(unitOf(value)),
  decode: (from) => takeUnit(from) | 0,
};

/** A number of 32 bits without a sign. */
export const uint: Form<number> = {
  leastBytes: UNIT_BYTES,
  encode: (value, to) => to.push(unitOf(value)),
  decode: takeUnit,
};

const HYPER_BYTES = 8;

/** A number of 64 bits without a sign. */
export const uhyper: Form<bigint> = {
  leastBytes: HYPER_BYTES,
  encode: (value, to) => to.push(bytesOf(HYPER_BYTES, (view) => view.setBigUint64(0, value))),
  decode: (from) => takeView(from, HYPER_BYTES).getBigUint64(0),
};

/** A number of 64 bits with a sign. */
export const hyper: Form<bigint> = {
  leastBytes: HYPER_BYTES,
  encode: (value, to) => to.push(bytesOf(HYPER_BYTES, (view) => view.setBigInt64(0, value))),
  decode: (from) => takeView(from, HYPER_BYTES).getBigInt64(0),
};

/** A floating-point number of 64 bits. */
export const double: Form<number> = {
  leastBytes: HYPER_BYTES,
  encode: (value, to) => to.push(bytesOf(HYPER_BYTES, (view) => view.setFloat64(0, value))),
  decode: (from) => takeView(from, HYPER_BYTES).getFloat64(0),
};

/**
 * Returns the form of a text of at most `mostBytes` in UTF-8. A text with a NUL is refused: C would end it
 * there.
 */
export function string(mostBytes: number): Form<string> {
  const bytes = countedBytes(mostBytes);
  return {
    leastBytes: UNIT_BYTES,
    encode: (value, to) => bytes.encode(new TextEncoder().encode(value), to),
    decode: (from) => textOf(bytes.decode(from)),
  };
}

/** Returns the form of a fixed number of bytes. */
export function opaque(length: number): Form<Uint8Array> {
  return {
    leastBytes: length,
    encode(value, to) {
      if (value.length !== length) throw unencodable();
      to.push(padded(value));
    },
    decode: (from) => takeBytes(from, length),
  };
}

/** Returns the form of at most `mostBytes` bytes. */
export function countedBytes(mostBytes: number): Form<Uint8Array> {
  return {
    leastBytes: UNIT_BYTES,
    encode(value, to) {
      if (value.length > mostBytes) throw unencodable();
      uint.encode(value.length, to);
      to.push(padded(value));
    },
    decode(from) {
      const length = uint.decode(from);
      if (length > mostBytes) throw undecodable();
      return takeBytes(from, length);
    },
  };
}

/** Returns the form of an optional value. Any number but 0 says: it is there. go-libvirt sends 0x01000000. */
export function optional<Value>(form: Form<Value>): Form<Value | undefined> {
  return {
    leastBytes: UNIT_BYTES,
    encode(value, to) {
      uint.encode(value === undefined ? 0 : 1, to);
      if (value !== undefined) form.encode(value, to);
    },
    decode: (from) => (uint.decode(from) === 0 ? undefined : form.decode(from)),
  };
}

/** Returns the form of at most `most` values. */
export function array<Value>(form: Form<Value>, most: number): Form<readonly Value[]> {
  return {
    leastBytes: UNIT_BYTES,
    encode(values, to) {
      if (values.length > most) throw unencodable();
      uint.encode(values.length, to);
      for (const value of values) form.encode(value, to);
    },
    decode(from) {
      const count = uint.decode(from);
      if (count > most || count * form.leastBytes > leftBytes(from)) throw undecodable();
      return Array.from({ length: count }, () => form.decode(from));
    },
  };
}

/**
 * Returns the form of a text in C's `char[length]`: a number of 32 bits for each byte, and zeros up to the
 * length.
 */
export function chars(length: number): Form<string> {
  return {
    leastBytes: length * UNIT_BYTES,
    encode(value, to) {
      const bytes = new TextEncoder().encode(value);
      if (bytes.length >= length) throw unencodable();
      for (let at = 0; at < length; at += 1) int.encode(bytes[at] ?? 0, to);
    },
    decode(from) {
      const bytes = Uint8Array.from({ length }, () => int.decode(from));
      const end = bytes.indexOf(0);
      return textOf(bytes.subarray(0, end < 0 ? length : end));
    },
  };
}

/**
 * Returns the form of a text in C's `char<most>`: a number of 32 bits for each byte and for the NUL at its
 * end.
 */
export function countedChars(most: number): Form<string> {
  const bytes = array(int, most);
  return {
    leastBytes: UNIT_BYTES,
    encode: (value, to) => bytes.encode([...new TextEncoder().encode(value), 0], to),
    decode: (from) => textOf(Uint8Array.from(bytes.decode(from)).subarray(0, -1)),
  };
}

/** Fields of a structure, in their order on the wire. */
type Fields = Readonly<Record<string, Form<unknown>>>;
type Structure<Of extends Fields> = { readonly [Name in keyof Of]: ValueOf<Of[Name]> };

/**
 * Returns the form of a structure. Without fields it takes no bytes: the arguments or the result of many
 * procedures.
 */
export function struct<const Of extends Fields>(fields: Of): Form<Structure<Of>>;
export function struct(fields: Fields): Form<Readonly<Record<string, unknown>>> {
  const entries = Object.entries(fields);
  return {
    leastBytes: entries.reduce((sum, [, { leastBytes }]) => sum + leastBytes, 0),
    encode(value, to) {
      for (const [name, form] of entries) form.encode(value[name], to);
    },
    decode(from) {
      const value: Record<string, unknown> = {};
      for (const [name, form] of entries) value[name] = form.decode(from);
      return value;
    },
  };
}

/**
 * Returns the lowest 32 bits of a number. A single object, not three as with a DataView: each call encodes
 * and decodes twenty of them.
 */
function unitOf(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Returns the next 32 bits as a number without a sign. Throws as undecodable(). */
function takeUnit(from: Cursor): number {
  const { at, bytes } = from;
  if (at + UNIT_BYTES > bytes.length) throw undecodable();
  from.at = at + UNIT_BYTES;
  const byte = (offset: number): number => bytes[at + offset] ?? 0;
  return ((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)) >>> 0;
}

function bytesOf(count: number, fill: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(count));
  fill(view);
  return new Uint8Array(view.buffer);
}

let decoder: TextDecoder | undefined;

function textOf(bytes: Uint8Array): string {
  if (bytes.includes(0)) throw undecodable();
  try {
    decoder ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes);
  } catch (cause) {
    throw undecodable(cause);
  }
}
