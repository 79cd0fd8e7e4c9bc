import { describe, expect, test } from "bun:test";
import {
  array,
  chars,
  countedBytes,
  countedChars,
  double,
  type Form,
  hyper,
  int,
  opaque,
  optional,
  string,
  struct,
  uhyper,
  uint,
} from "../../../src/rpc/xdr/form.ts";

/** Returns the bytes of groups of hexadecimal digits. */
function bytes(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replace(/\s/g, ""));
}

function encoded<Value>(form: Form<Value>, value: Value): string {
  const parts: Uint8Array[] = [];
  form.encode(value, parts);
  return Buffer.concat(parts).toString("hex");
}

function decoded<Value>(form: Form<Value>, hex: string): Value {
  return form.decode({ bytes: bytes(hex), at: 0 });
}

// The file of RFC 4506, section 7, up to its data: its bytes are those of the RFC's table.
const file = struct({ filename: string(255), kind: int, interpreter: string(255), owner: string(32) });
const FILE = "00000009 73696c6c 7970726f 67000000 00000002 00000004 6c697370 00000004 6a6f686e";
const SILLY = { filename: "sillyprog", kind: 2, interpreter: "lisp", owner: "john" };

describe("a form of XDR", () => {
  test("encodes and decodes the example of RFC 4506", () => {
    expect(encoded(file, SILLY)).toBe(FILE.replaceAll(" ", ""));
    expect(decoded(file, FILE)).toEqual(SILLY);
  });

  test.each<[string, Form<unknown>, unknown, string]>([
    ["a negative number", int, -1, "ffffffff"],
    ["a number without a sign", uint, 0xff_ff_ff_ff, "ffffffff"],
    ["a number of 64 bits", uhyper, 2n ** 63n, "8000000000000000"],
    ["a negative number of 64 bits", hyper, -2n, "fffffffffffffffe"],
    ["a floating-point number", double, -2.5, "c004000000000000"],
    ["bytes with their number", countedBytes(8), bytes("010203"), "0000000301020300"],
    ["bytes that are padded", opaque(5), bytes("0102030405"), "0102030405000000"],
    ["an empty text", string(8), "", "00000000"],
    ["a text in UTF-8", string(8), "ü", "00000002c3bc0000"],
    ["a missing value", optional(int), undefined, "00000000"],
    ["a value that may be missing", optional(int), 7, "0000000100000007"],
    ["an array", array(uint, 2), [1, 2], "000000020000000100000002"],
    // char of C takes 32 bits: RFC 4506 has no shorter number.
    ["char[4] of C", chars(4), "ab", "00000061000000620000000000000000"],
    ["char<4> of C", countedChars(4), "ab", "00000003000000610000006200000000"],
  ])("encodes and decodes %s", (...[, form, value, hex]) => {
    expect([encoded(form, value), decoded(form, hex)]).toEqual([hex, value]);
  });

  test("takes any number but 0 for a value that is there, as go-libvirt sends it", () => {
    expect(decoded(optional(int), "01000000 00000007")).toBe(7);
  });

  test.each<[string, Form<unknown>, string]>([
    ["a text that is longer than allowed", string(4), "00000005 6162636465000000"],
    ["a text that is longer than the message", string(2 ** 31), "7fffffff 61626364"],
    ["more bytes than allowed", countedBytes(2), "00000003 01020300"],
    ["a text whose padding is cut off", string(4), "00000001 61"],
    ["a text with a NUL", string(4), "00000002 61000000"],
    ["a text that is not UTF-8", string(4), "00000001 ff000000"],
    ["an array with more values than allowed", array(int, 1), "00000002 00000001 00000002"],
    ["an array with more values than the message has room for", array(int, 2 ** 31), "7fffffff 00000001"],
    ["a number that is cut off", int, "000000"],
  ])("refuses %s", (_, form, hex) => {
    expect(() => decoded(form, hex)).toThrow("Unable to decode message payload");
  });

  test("refuses the example of RFC 4506 cut off at each byte", () => {
    const whole = bytes(FILE);
    for (let length = 0; length < whole.length; length += 1) {
      const cut = (): unknown => file.decode({ bytes: whole.subarray(0, length), at: 0 });
      expect(cut).toThrow("Unable to decode message payload");
    }
  });

  test.each<[string, Form<unknown>, unknown]>([
    ["a text", string(2), "abc"],
    ["an array", array(int, 1), [1, 2]],
    ["bytes with their number", countedBytes(2), bytes("010203")],
    ["bytes", opaque(2), bytes("010203")],
    ["char[2] of C", chars(2), "ab"],
  ])("does not encode %s that is longer than declared", (_, form, value) => {
    expect(() => encoded(form, value)).toThrow("Unable to encode message payload");
  });
});
