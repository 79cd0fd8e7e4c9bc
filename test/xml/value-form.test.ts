import { describe, expect, test } from "bun:test";
import { absolutePath, macAddress, uuid, word } from "../../src/domain/forms/text.ts";
import { hexadecimal, integer, oneOf, onOff, type ValueForm, yesNo } from "../../src/xml/value-form.ts";

const cases: readonly (readonly [string, ValueForm<unknown>, string, unknown])[] = [
  ["oneOf", oneOf("a", "b"), "a", "a"],
  ["oneOf", oneOf("a", "b"), "A", undefined],
  ["oneOf", oneOf("a", "b"), "", undefined],
  ["oneOf", oneOf("a", "b"), "toString", undefined],
  ["yesNo", yesNo, "yes", true],
  ["yesNo", yesNo, "no", false],
  ["yesNo", yesNo, "on", undefined],
  ["onOff", onOff, "on", true],
  ["onOff", onOff, "true", undefined],
  ["integer", integer(-1, 8), "-1", -1],
  ["integer", integer(-1, 8), " 8\n", 8],
  ["integer", integer(-1, 8), "007", 7],
  ["integer", integer(-1, 8), "9", undefined],
  ["integer", integer(-1, 8), "0x1", undefined],
  ["integer", integer(-1, 8), "1.0", undefined],
  ["integer", integer(-1, 8), "+1", undefined],
  ["integer", integer(-1, 8), "", undefined],
  ["integer", integer(-1, 8), "-", undefined],
  ["integer", integer(0, 2 ** 53), "99999999999999999", undefined],
  ["hexadecimal", hexadecimal(0x1f, 2), "0x1F", 31],
  ["hexadecimal", hexadecimal(0x1f, 2), "31", 31],
  ["hexadecimal", hexadecimal(0x1f, 2), "0x20", undefined],
  ["hexadecimal", hexadecimal(0x1f, 2), "1f", undefined],
  ["hexadecimal", hexadecimal(0x1f, 2), "0x", undefined],
  ["uuid", uuid, "C7A5FDBD-edaf-9455-926a-d65c16db1809", "c7a5fdbd-edaf-9455-926a-d65c16db1809"],
  ["uuid", uuid, "c7a5fdbdedaf9455926ad65c16db1809", "c7a5fdbd-edaf-9455-926a-d65c16db1809"],
  ["uuid", uuid, "c7a5fdbd-edaf-9455-926a-d65c16db180", undefined],
  ["uuid", uuid, "00000000-0000-0000-0000-000000000000", undefined],
  ["uuid", uuid, "../../../../../../../../../../../../..", undefined],
  ["macAddress", macAddress, "52:54:00:AB:cd:ef", "52:54:00:ab:cd:ef"],
  ["macAddress", macAddress, "01:00:5e:00:00:01", undefined],
  ["macAddress", macAddress, "52:54:00:ab:cd", undefined],
  ["word", word, "pc-q35-10.0", "pc-q35-10.0"],
  ["word", word, "-machine", undefined],
  ["word", word, "a,b", undefined],
  ["word", word, "a\n", undefined],
  ["absolutePath", absolutePath, "/a b/ö,=", "/a b/ö,="],
  ["absolutePath", absolutePath, "/", "/"],
  ["absolutePath", absolutePath, "/a/..b", "/a/..b"],
  ["absolutePath", absolutePath, "", undefined],
  ["absolutePath", absolutePath, "a", undefined],
  ["absolutePath", absolutePath, "/a/..", undefined],
  ["absolutePath", absolutePath, "/a\nb", undefined],
  ["absolutePath", absolutePath, "/a\0b", undefined],
];

describe("decode() of", () => {
  test.each(cases)(
    "%s %# gives the value, or undefined outside what the form expects",
    (...[, form, text, value]) => {
      expect(form.decode(text)).toBe(value);
      if (value !== undefined) expect(form.decode(form.encode(value))).toBe(value);
    },
  );
});

test("absolutePath counts bytes, as the kernel does", () => {
  expect(absolutePath.decode(`/${"ö".repeat(2047)}`)).toBeDefined();
  expect(absolutePath.decode(`/${"ö".repeat(2048)}`)).toBeUndefined();
});

test("hexadecimal() writes as many digits as libvirt", () => {
  expect([
    hexadecimal(0xffff, 4).encode(0),
    hexadecimal(0x1f, 2).encode(3),
    hexadecimal(7, 1).encode(7),
  ]).toEqual(["0x0000", "0x03", "0x7"]);
});
