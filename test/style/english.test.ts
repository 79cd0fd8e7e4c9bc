import { expect, test } from "bun:test";
import { Glob } from "bun";
import { childrenOf, parseSource, type SyntaxNode } from "../../scripts/mutation/mutants.ts";
import type { CommandSpec } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";

// Plain technical English in comments, help texts and messages: the worst habits are counted, so that they do
// not come back. CONTRIBUTING.md

const SRC = new URL("../../src/", import.meta.url).pathname;
const COMMENT = /\/\*\*([\s\S]*?)\*\/|^\s*\/\/(.*)$/gm;
/** Subjects without a referent, and phrases that a reader reads twice. */
const VAGUE = /\b(?:nobody|somebody|everybody|anybody|whoever|anew|by now|to be had|such a thing)\b/gi;
/** A comment names its subject: it begins with a verb or a noun. */
const VAGUE_START = /^(?:What|Whoever|Whatever|The same|Of (?:what|those)|Those|One that|That)\b/;
/** The summary of a command begins with a verb. */
const NO_VERB = /^(?:what|how|where|which|whether|who|on which|of|the|an?|all|each|is|that)\b/i;
/** In 100 words: opencontainers/selinux has 0.09, firecracker 0.02. */
const MOST_WHAT = 0.1;

/**
 * Phrases of messages without a referent, or that have a plain word: "exists", "releases", "the host's
 * ports".
 */
const VAGUE_MESSAGE =
  /\bstands? (?:there|here)\b|\blets? go\b|\bas it likes\b|\bwhat (?:is|it|its|the|another|was|runs|stands) |\bno more$|\bof (?:the \w+|QEMU|svirt)'s(?! \w)|\bis not there\b|\bcan do$|\btakes it back\b/i;

interface Comment {
  readonly file: string;
  readonly text: string;
}

const comments: readonly Comment[] = (
  await Promise.all(
    [...new Glob("**/*.ts").scanSync(SRC)]
      .sort()
      .map(async (file) => commentsOf(file, await Bun.file(SRC + file).text())),
  )
).flat();

function commentsOf(file: string, source: string): Comment[] {
  return [...source.matchAll(COMMENT)].map(([, block, line = ""]) => ({
    file,
    text: (block ?? line)
      .replaceAll(/^\s*\*/gm, "")
      .replaceAll(/\s+/g, " ")
      .trim(),
  }));
}

/** Comments that are worse than the rules allow. */
function listFaults(found: readonly Comment[]): string[] {
  const shown = ({ file, text }: Comment): string => `${file}: ${text.slice(0, 100)}`;
  return found.filter(({ text }) => text.search(VAGUE) >= 0 || VAGUE_START.test(text)).map(shown);
}

function countWhat(found: readonly Comment[]): number {
  const text = found.map((comment) => comment.text).join(" ");
  return (100 * [...text.matchAll(/\bwhat\b/gi)].length) / text.split(" ").length;
}

test("comments of src/ name their subject", () => {
  expect(comments.length).toBeGreaterThan(1000);
  expect(listFaults(comments)).toEqual([]);
});

test("comments of src/ are not made of relative clauses", () => {
  expect(countWhat(comments)).toBeLessThan(MOST_WHAT);
});

/** Lists the texts of a source file of three words and more; the values in a template are left out. */
function textsOf(file: string, source: string): Comment[] {
  const visit = (node: SyntaxNode): string[] => {
    if (node.type === "ImportDeclaration") return [];
    return [...ownText(node), ...childrenOf(node).flatMap(visit)];
  };
  return visit(parseSource(file, source))
    .filter((text) => text.trim().split(/\s+/).length >= 3)
    .map((text) => ({ file, text }));
}

function ownText({ quasis, type, value }: SyntaxNode): string[] {
  if (type === "Literal" && typeof value === "string") return [value];
  if (type !== "TemplateLiteral") return [];
  const parts = quasis as readonly { readonly value: { readonly cooked: string } }[];
  return [parts.map((part) => part.value.cooked).join("…")];
}

function listVagueMessages(texts: readonly Comment[]): string[] {
  const isVague = ({ text }: Comment): boolean => text.search(VAGUE) >= 0 || VAGUE_MESSAGE.test(text);
  return texts.filter(isVague).map(({ file, text }) => `${file}: ${text}`);
}

test("messages and remedies of src/ name their subject", async () => {
  const files = [...new Glob("**/*.ts").scanSync(SRC)].sort();
  const texts = (
    await Promise.all(files.map(async (file) => textsOf(file, await Bun.file(SRC + file).text())))
  ).flat();
  expect(texts.length).toBeGreaterThan(2000);
  expect(listVagueMessages(texts)).toEqual([]);
});

test.each([
  "`Cannot give the guest port ${port} for its screen: somebody listens on it`",
  "`Cannot open ${path}: another file stands there than the one that was inspected`",
  "`device_del ${device} (wait until the guest lets go of it)`",
  '"give /srv and what is in it back to root"',
  '"Write an IP address of the host\'s."',
  '"Say which one has them no more"',
  "`Cannot ask ${emulator} what it can do`",
])("the rules refuse the message %s", (source) => {
  expect(listVagueMessages(textsOf("a.ts", `const message = ${source};`))).toHaveLength(1);
});

/** Texts of a command's help that are worse than the rules allow. */
function listHelpFaults({ details = "", name, operands, options, summary }: CommandSpec): string[] {
  const texts = [summary, details, ...[...operands, ...options].map((one) => one.summary)];
  const vague = texts.filter((text) => text.search(VAGUE) >= 0);
  return [...vague, ...(NO_VERB.test(summary) ? [summary] : [])].map((text) => `${name}: ${text}`);
}

test("a command's help begins with a verb and names its subjects", async () => {
  const loaded = await Promise.all([...COMMANDS.values()].map(async (load) => (await load()).command.spec));
  expect(loaded.length).toBeGreaterThan(90);
  expect(loaded.flatMap(listHelpFaults)).toEqual([]);
});

test("the rules refuse help that begins with a relative clause, or names no subject", () => {
  const spec: CommandSpec = { name: "list", summary: "what a guest has", operands: [], options: [] };
  expect(listHelpFaults(spec)).toEqual(["list: what a guest has"]);
  const options = [{ name: "b", summary: "disconnect whoever is connected" }];
  expect(listHelpFaults({ ...spec, summary: "show a guest", options })).toEqual([
    "list: disconnect whoever is connected",
  ]);
});

test.each([
  "/** What a start makes of a domain besides is completed anew. */",
  "/** The next one that whoever holds it gives. */",
  "// Of those that are there the last counts: nobody has it.",
])("the rules refuse %s", (source) => {
  expect(listFaults(commentsOf("a.ts", source))).toHaveLength(1);
  expect(countWhat(commentsOf("a.ts", "/** What it is. */"))).toBeGreaterThan(MOST_WHAT);
});
