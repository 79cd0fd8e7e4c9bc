import { expect, test } from "bun:test";
import { findBuiltPolicy, type Policy, parseRule } from "../built-policy.ts";
import { allowsIn, attributesIn, withoutAllows } from "../cil.ts";
import { formatRight, givenAnyhow, rightsIn } from "../needed.ts";
import { OUR_RIGHTS, readBarePolicy } from "../our-rules.ts";
import { formatTable, parseTable } from "../right-table.ts";
import { readUses } from "../seen.ts";
import { readTable } from "../tables.ts";

const folder = findBuiltPolicy();
const missing =
  folder === undefined
    ? "the policy of this checkout, run image/build"
    : (Bun.which("sesearch") ?? "setools");
const isMissing = folder === undefined || Bun.which("sesearch") === null;

test.skipIf(isMissing)(
  `svirt allows nothing that Debian's policy or another rule gives anyhow${isMissing ? ` (skipped: needs ${missing})` : ""}`,
  () => {
    expect(givenAnyhow(readBarePolicy(folder ?? ""), OUR_RIGHTS).map(formatRight)).toEqual([]);
  },
  240_000,
);

const names = OUR_RIGHTS.map(formatRight);
const explained = await readTable("explained.txt");
const fails = await readTable("fails.txt");

test("without each right of svirt's modules a test was seen failing, or explained.txt says why none can", () => {
  expect(names.filter((name) => !fails.has(name) && !explained.has(name))).toEqual([]);
});

test("the tables have no right that no module has, and explain none that a test fails without", () => {
  expect([...explained.keys(), ...fails.keys()].filter((name) => !names.includes(name))).toEqual([]);
  expect([...explained.keys()].filter((name) => fails.has(name))).toEqual([]);
});

const THEIRS: Policy = {
  rules: [
    "allow domain lib_t:file { execute read };",
    "allow a_t a_t:process fork;",
    "allow domain etc_t:file read; [ some_boolean ]:True",
    "allow domain var_t:file read; [ some_boolean ]:True",
    "allow a_t var_t:file read; [ some_boolean ]:False",
  ].map(parseRule),
  extended: [],
  attributes: new Map([["domain", new Set(["a_t", "b_t"])]]),
};

const given = (text: string) => givenAnyhow(THEIRS, rightsIn(allowsIn(text))).map(formatRight);

test("givenAnyhow() finds what the policy gives to all that the rule names", () => {
  expect(given("(allow a_t lib_t (file (read write)))")).toEqual(["a_t lib_t file read"]);
  expect(given("(allow a_t self (process (fork)))")).toEqual(["a_t self process fork"]);
  expect(given("(allow domain self (process (fork)))")).toEqual([]);
});

test("givenAnyhow() does not count on a boolean, but on what is given whatever it says", () => {
  expect(given("(allow a_t etc_t (file (read)))")).toEqual([]);
  expect(given("(allow a_t var_t (file (read)))")).toEqual(["a_t var_t file read"]);
  expect(given("(allow b_t var_t (file (read)))")).toEqual([]);
});

test("givenAnyhow() finds what two of our rules say", () => {
  expect(given("(allow a_t var_t (dir (search)))\n(allow domain var_t (dir (search open)))")).toEqual([
    "a_t var_t dir search",
  ]);
});

test("a use that was seen is told with the titles of its tests, where no other rule allows it", () => {
  const rights = rightsIn(
    allowsIn(`(allow domain self (process (fork)))(allow domain etc_t (file (read)))
      (allow domain var_t (dir (search)))(allow a_t var_t (dir (search)))`),
  );
  const seen = `b_t b_t process fork starts, twice
a_t a_t process fork starts, twice
a_t etc_t file read x
b_t b_t process fork saves
a_t lib_t dir search saves
a_t var_t dir search saves
b_t var_t dir search saves
`;
  expect([...readUses({ bare: THEIRS, rights }, seen)]).toEqual([
    ["domain self process fork", ["starts, twice", "saves"]],
    ["domain etc_t file read", ["x"]],
    ["domain var_t dir search", ["saves"]],
  ]);
});

test("a table that was written is read, and one with a line of another kind is not", () => {
  const rights = rightsIn(allowsIn("(allow domain self (process (fork)))"));
  const fails = new Map([["domain self process fork", "launch: starts"]]);
  const table = formatTable("A head.\n", rights, fails);
  expect(table).toBe("A head.\n\n== launch: starts\ndomain self process { fork }\n");
  expect([...parseTable(table)]).toEqual([...fails]);
  expect(() => parseTable("== launch\na_t b_t\n")).toThrow("Cannot read the table of rights: a_t b_t");
  expect(() => parseTable(`${table}domain self process { fork }\n`)).toThrow("is there twice");
});

test("CIL is read with its comments and over lines, and what is allowed can be left out", () => {
  const text = "; (allow no no (no (no)))\n(type a_t)\n(allow a_t self ; why\n  (file (read\n write)))\n";
  expect(allowsIn(text)).toEqual([
    { source: "a_t", target: "self", tclass: "file", permissions: ["read", "write"] },
  ]);
  expect(withoutAllows(text)).toBe("(type a_t)");
  expect([...attributesIn("(typeattributeset x (a_t b_t))(typeattributeset y (not (x)))")]).toEqual([
    ["x", new Set(["a_t", "b_t"])],
  ]);
});

test("CIL whose brackets do not match is refused, and so is a rule of another form", () => {
  expect(() => allowsIn("(type a_t")).toThrow("a ) is missing");
  expect(() => allowsIn("(type a_t))")).toThrow("a ) too many");
  expect(() => allowsIn("(allow a_t b_t a_permission_set)")).toThrow("Cannot read (allow a_t b_t ...)");
});
