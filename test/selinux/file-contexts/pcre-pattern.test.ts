import { describe, expect, test } from "bun:test";
import { compilePattern, hasTopAlternative } from "../../../src/selinux/file-contexts/pcre-pattern.ts";

describe("compilePattern()", () => {
  // Syntax of pcre2pattern(3) that both languages have and read differently.
  test.each([
    ["/a", "/a\n", true],
    ["/a", "/a\nb", false],
    ["/a|/b", "/ax", true],
    ["/a|/b", "x/b", true],
    ["/[]a]", "/]", true],
    ["/[^]a]", "/]", false],
    ["/[[:digit:]x-]+", "/4x-", true],
    ["/[[:space:]]", "/\xa0", false],
    ["/\\s", "/\xa0", false],
    ["/\\S", "/\xa0", true],
    ["/\\x", "/x", undefined],
    ["/.", "/\n", true],
    ["/\\bx", "/x", true],
    ["/{x", "/{x", true],
    ["/\\e", "/\x1b", true],
  ])("%j matches %j: %p", (pattern, path, expected) => {
    if (expected === undefined) expect(() => compilePattern(pattern)).toThrow("Cannot read the pattern");
    else expect(compilePattern(pattern).test(path)).toBe(expected);
  });

  test.each([
    ["/a++", "the possessive quantifier ++"],
    ["/a{2}+", "the possessive quantifier {2}+"],
    ["/(?=a)", '"(?"'],
    ["/(?i)a", '"(?"'],
    ["/(?<n>a)", '"(?"'],
    ["/(*FAIL)", '"(*"'],
    ["/(a)\\1", "\\1"],
    ["/\\Qa\\E", "\\Q"],
    ["/\\h", "\\h"],
    ["/a**", "after what cannot be repeated"],
    ["*a", "after what cannot be repeated"],
    ["/a{,3}", "braces without a number"],
    ["/a{70000}", "the number in {70000}"],
    ["/[a", "a class without end"],
    ["/[z-a]", "a range from its end"],
    ["/[\\d-z]", "a range from or to a class"],
    ["/[[:nothing:]]", '"[:" in a class'],
    ["/[:alpha:]", "a named class outside of a class"],
    ["/[[.a.]]", '"[." in a class'],
    ["/[\\Qa]", "\\Q in a class"],
    ["/(a", "an unfinished or superfluous part"],
    ["/a)", "an unfinished or superfluous part"],
  ])("refuses %j", (pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(message);
  });
});

test("hasTopAlternative() sees an alternative outside groups, classes and escapes", () => {
  expect(["/a|/b", "/(a)|b", "/(a|b)c|d"].map(hasTopAlternative)).toEqual([true, true, true]);
  expect(["/a", "/(a|b)", "/[|]", "/\\|", "/((a|b)|c)"].map(hasTopAlternative)).toEqual(
    Array.from({ length: 5 }, () => false),
  );
});
