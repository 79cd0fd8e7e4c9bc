import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  canonicalContext,
  formatAttribute,
  formatContext,
  parseContext,
  parseContextOrUndefined,
  trimLabel,
} from "../../src/selinux/context.ts";

describe("parseContext()", () => {
  test("takes a context apart and keeps the range as it is written", () => {
    expect(parseContext("system_u:system_r:svirt_t:s0-s0:c0.c1023")).toEqual({
      user: "system_u",
      role: "system_r",
      type: "svirt_t",
      range: "s0-s0:c0.c1023",
    });
  });

  test("takes one without a range, as a policy without MLS has them", () => {
    expect(parseContext("user_u:object_r:image_t")).toEqual({
      user: "user_u",
      role: "object_r",
      type: "image_t",
      range: undefined,
    });
  });

  test("reads over the NUL and the newline that the kernel leaves at its end", () => {
    expect(parseContext("a_u:b_r:c_t:s0\n\0")).toEqual(parseContext("a_u:b_r:c_t:s0"));
  });

  test.each([
    ["kernel", "what a kernel without a policy says"],
    ["", "nothing"],
    ["a:b", "two parts"],
    ["a::c", "an empty role"],
    ["a:b:", "an empty type"],
    ["a:b:c:", "an empty range"],
    ["a u:b:c:s0", "a blank"],
    ["a:b:c:s0\0:c1", "a NUL in the middle"],
    ["a:b:c:s0/../x", "a slash"],
    [`a:b:${"c".repeat(4096)}`, "more than the reference's buffer holds"],
  ])("refuses %j: %s", (text) => {
    expect(parseContextOrUndefined(text)).toBeUndefined();
    expect(() => parseContext(text)).toThrow("it is not user:role:type[:range]");
  });
});

test("formatContext() gives back what parseContext() took apart", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/);
  const range = fc.option(fc.stringMatching(/^s\d(:c\d{1,3},c\d{1,3})?$/), { nil: undefined });
  fc.assert(
    fc.property(fc.tuple(word, word, word), range, (words, mls) => {
      const text = [...words, ...(mls === undefined ? [] : [mls])].join(":");
      expect(formatContext(parseContext(text))).toBe(text);
    }),
  );
});

test("canonicalContext() writes the range as the kernel does and leaves one without a range alone", () => {
  expect(canonicalContext("a_u:b_r:c_t:s0:c7,c3.c4")).toBe("a_u:b_r:c_t:s0:c3,c4,c7");
  expect(canonicalContext("a_u:b_r:c_t")).toBe("a_u:b_r:c_t");
});

test("trimLabel() takes NULs and newlines off the end alone", () => {
  expect(trimLabel("a\0b\0\n\0")).toBe("a\0b");
});

test("formatAttribute() ends a context with a NUL, and clears an attribute with a newline", () => {
  expect(formatAttribute("system_u:system_r:svirt_t:s0:c1,c2")).toBe("system_u:system_r:svirt_t:s0:c1,c2\0");
  expect(formatAttribute("")).toBe("\n");
});

test("a context that is none is shown in an error, the beginning alone of a long one", () => {
  expect(() => parseContext("x".repeat(80))).toThrow(`security context "${"x".repeat(80)}": it is not`);
  expect(() => parseContext("x".repeat(81))).toThrow(`security context "${"x".repeat(80)}…": it is not`);
});
