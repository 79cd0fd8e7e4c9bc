import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SvirtError } from "../../../../src/errors.ts";
import {
  defaultContextOf,
  type FileContextsTexts,
  parseFileContexts,
} from "../../../../src/selinux/file-contexts/look-up.ts";
import { KINDS, Matchpathcon, matchpathcon, needsMatchpathcon } from "../matchpathcon.ts";
import { drawPath, drawsFrom } from "../path-sampler.ts";

// Uses few names and few folders, so that rules overlap and contradict each other.
const plainPart = fc.constantFrom("a", "b", "lib", "a.b", "ab", "a-b", "x_1", "c++");
const patternPart = fc.oneof(
  { weight: 16, arbitrary: plainPart.map((word) => word.replace(/[.+-]/g, "\\$&")) },
  fc.constantFrom(
    "[^/]+",
    "[^/]*",
    ".*",
    ".+",
    "a?b",
    "[ab]+",
    "[]a]",
    "[^]a]+",
    "[a-c.-]*",
    "(a|b)",
    "(?:a|lib)?",
    "(a(b|c)?)+",
    "a.b",
    "\\d{1,2}",
    "x_\\d+",
    "[[:alpha:]]+",
    "[[:digit:][:punct:]]+",
    "\\w+\\b.*",
    "\\S+",
    "a{2}",
    "a{0,2}b",
    "a{1,}",
    "c\\+{2}",
    "\\#a",
    "a*?b",
    "{a",
    "$",
    "a$",
    "^a",
    "",
  ),
);
const ending = fc.constantFrom("", "(/.*)?", "(/.*)?", "/.*", "/.+", "(/[^/]*)?", "/?", "|/b", "\\.\\d+");
const pattern = fc
  .tuple(fc.array(patternPart, { minLength: 1, maxLength: 3 }), ending)
  .map(([parts, last]) => `/${parts.join("/")}${last}`);
const kind = fc.constantFrom("", "", "", "--", "-d", "-l", "-b", "-c", "-p", "-s");
const context = fc.oneof(
  { weight: 12, arbitrary: fc.nat(20).map((at) => `system_u:object_r:t${at}_t:s0`) },
  fc.constant("<<none>>"),
);
const blank = fc.constantFrom("\t", "  ", " \t ");
const line = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(pattern, kind, context, blank)
      .map(([what, type, label, gap]) => [what, ...(type === "" ? [] : [type]), label].join(gap)),
  },
  fc.constantFrom("", "# a comment", "   ", " /a\tsystem_u:object_r:blank_t:s0  "),
);
const rules = fc.array(line, { minLength: 1, maxLength: 25 }).map((lines) => `${lines.join("\n")}\n`);
const folder = fc.array(plainPart, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
const substitutions = fc
  .array(fc.tuple(folder, fc.oneof(folder, fc.constantFrom("/", "/a/"))), { maxLength: 4 })
  .map((pairs) => `# aliases\n${pairs.map(([from, to]) => `${from} ${to}\n`).join("")}`);
const texts = fc
  .record({ base: rules, homedirs: rules, local: rules, subs: substitutions, subsDist: substitutions })
  .map(({ base, homedirs, local, ...others }) => ({
    base: { text: base, path: "base" },
    homedirs: { text: homedirs, path: "homedirs" },
    local: { text: local, path: "local" },
    ...others,
  }));
const freePath = fc
  .array(fc.oneof(plainPart, fc.constantFrom("é", "12", "a b", "\n", "]", "aab", "#a", "{a")), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => `/${parts.join("/")}`);
const paths = fc.array(fc.tuple(freePath, fc.constantFrom("", "", "", "/", "//x", "\n")), {
  minLength: 30,
  maxLength: 30,
});

describe.skipIf(matchpathcon === null)(`defaultContextOf()${needsMatchpathcon}`, () => {
  test("says what matchpathcon says by any rules that contradict each other", () => {
    let [compared, found] = [0, 0];
    fc.assert(
      fc.property(texts, paths, fc.nat(), (rulesOfRun, free, seed) => {
        const all = [...free.map(([path, end]) => path + end), ...drawnPaths(rulesOfRun, seed)];
        using tool = new Matchpathcon(rulesOfRun);
        const contexts = parseFileContexts(rulesOfRun);
        const kindOfRun = KINDS[seed % KINDS.length] ?? "file";
        const wanted = tool.lookUp(all, kindOfRun);
        const ours = all.map((path) => defaultContextOf(contexts, path, kindOfRun));
        expect(all.map((path, at) => `${path} ${ours[at]}`)).toEqual(
          all.map((path, at) => `${path} ${wanted[at]}`),
        );
        compared += all.length;
        found += wanted.filter((label) => label !== undefined).length;
      }),
      { numRuns: 1000 },
    );
    // Proves that the rules match often enough.
    expect(found / compared).toBeGreaterThan(0.15);
  }, 120_000);
});

// Contains no blanks, which would end the expression.
const letter = fc.constantFrom(..."aab/.*+?()[]^$|{}-:=1,dwsnQ\\\\".split(""));
const scrap = fc.oneof(
  { weight: 8, arbitrary: letter },
  fc.constantFrom(
    "[[:alpha:]]",
    "(?:",
    "(?=",
    "(?!",
    "\\b",
    "\\d",
    "{1,2}",
    "{,2}",
    "*?",
    "a++",
    "\\Q",
    "\\E",
    "[^",
    "[]",
    "(*",
    "\\1",
  ),
);
const expression = fc
  .array(scrap, { minLength: 1, maxLength: 9 })
  .map((scraps) => `/${scraps.join("")}`)
  .filter((text) => /[.^$?*+|[({\])}\\]/.test(text));
const word = fc
  .array(fc.constantFrom(..."aab/.-1dw:$^]\n".split("")), { maxLength: 6 })
  .map((letters) => `/${letters.join("")}`);

describe.skipIf(matchpathcon === null)(`an expression of any letters${needsMatchpathcon}`, () => {
  test("is read as PCRE2 reads it, or refused", () => {
    const counts = { matched: 0, refused: 0, compared: 0 };
    fc.assert(
      fc.property(expression, word, (text, path) => {
        const base = { text: `${text}\tsystem_u:object_r:t_t:s0\n`, path: "base" };
        const ours = knows({ base }, path);
        if (ours === undefined) {
          counts.refused += 1;
          return;
        }
        using tool = new Matchpathcon({ base });
        const theirs = tool.knows(path);
        counts.compared += 1;
        counts.matched += theirs === true ? 1 : 0;
        // An expression that the tool cannot read matches no path, so svirt may not match one by it.
        expect(`${text} ${path} ${ours}`).toBe(`${text} ${path} ${theirs ?? false}`);
      }),
      { numRuns: 4_000 },
    );
    expect([counts.matched > 100, counts.compared > 1_000]).toEqual([true, true]);
  }, 120_000);
});

/** Reports whether a path has a context by svirt's reading, or undefined if svirt refuses the rules. */
function knows(rulesOfRun: FileContextsTexts, path: string): boolean | undefined {
  try {
    return defaultContextOf(parseFileContexts(rulesOfRun), path, "file") !== undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(SvirtError);
    return undefined;
  }
}

function drawnPaths(rulesOfRun: FileContextsTexts, seed: number): string[] {
  const draw = drawsFrom(seed);
  const text = [rulesOfRun.base.text, rulesOfRun.homedirs?.text, rulesOfRun.local?.text].join("\n");
  return text
    .split("\n")
    .flatMap((each) => /^\/\S*/.exec(each) ?? [])
    .map((each) => drawPath(each, draw))
    .filter((path) => path.startsWith("/"));
}
