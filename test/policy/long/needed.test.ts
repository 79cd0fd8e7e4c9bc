import { expect, test } from "bun:test";
import { findBuiltPolicy, type Policy, parseRule } from "../built-policy.ts";
import { allowsIn, attributesIn, withoutAllows } from "../cil.ts";
import { formatRight, givenAnyhow, rightsIn } from "../needed.ts";
import { OUR_RIGHTS, readBarePolicy } from "../our-rules.ts";
import { formatTable, parseTable } from "../right-table.ts";
import { addSeen } from "../seen.ts";
import { NOTHING, readTable } from "../tables.ts";

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
const used = await readTable("used.txt");
const explained = await readTable("explained.txt");
const fails = await readTable("fails.txt");

test("each right of svirt's modules was seen used in a scenario, or explained.txt says who needs it", () => {
  expect(names.filter((name) => !used.has(name) && !explained.has(name))).toEqual([]);
});

test("of a right without which its scenario passes, explained.txt says what it is for", () => {
  const idle = [...fails].filter(([, failure]) => failure === NOTHING).map(([name]) => name);
  expect(idle.filter((name) => !explained.has(name))).toEqual([]);
});

test("the tables have no right that no module has, and explain none that a scenario shows", () => {
  const stale = [...used.keys(), ...explained.keys(), ...fails.keys()].filter(
    (name) => !names.includes(name),
  );
  expect(stale).toEqual([]);
  const shown = [...explained.keys()].filter((name) => used.has(name) && fails.get(name) !== NOTHING);
  expect(shown).toEqual([]);
});

const THEIRS: Policy = {
  rules: [
    "allow domain lib_t:file { execute read };",
    "allow a_t a_t:process fork;",
    "allow domain etc_t:file read; [ some_boolean ]:True",
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

test("givenAnyhow() does not count on a boolean", () => {
  expect(given("(allow a_t etc_t (file (read)))")).toEqual([]);
});

test("givenAnyhow() finds what two of our rules say", () => {
  expect(given("(allow a_t var_t (dir (search)))\n(allow domain var_t (dir (search open)))")).toEqual([
    "a_t var_t dir search",
  ]);
});

test("a use that was seen is kept with its first scenario, and counts for each rule that gives it", () => {
  const rights = rightsIn(allowsIn("(allow domain self (process (fork)))(allow a_t var_t (dir (search)))"));
  const seen =
    "granted launch b_t b_t process fork\ndenied launch a_t var_t dir search\ngranted save b_t b_t process fork\n";
  const uses = addSeen({ policy: THEIRS, rights }, new Map(), seen);
  expect([...uses]).toEqual([["domain self process fork", "launch"]]);
  const table = formatTable("A head.\n", rights, uses);
  expect(table).toBe("A head.\n\n== launch\ndomain self process { fork }\n");
  expect([...parseTable(table)]).toEqual([...uses]);
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
