/** The one order of src/. A part imports only from parts further left, never from one beside it. */
const ORDER =
  "errors · xml, selinux, images · domain · qemu, label · plan · host · registry · run · report, state · resolve · labelling · vm · cli · program · main";

/** Where a call begins: these put the effects and the rest together. */
const BEGINNINGS: readonly string[] = ["main.ts", "program.ts"];

/** Path below src/ and the text of that file. */
export type Sources = ReadonlyMap<string, string>;

/** The files of `svirt start`, with those that clear a guest away, and of `svirt list`. */
const STARTS: readonly string[] = [
  "program.ts",
  "cli/commands/query/list.ts",
  "cli/commands/run/start.ts",
  "state/record.ts",
  "vm/recover/recover.ts",
];
/** The files that make forms of XML, and the parser. */
const FORMS: readonly string[] = ["xml/choice.ts", "xml/element.ts", "xml/fast-xml.ts", "xml/field.ts"];
/** An import or a re-export that is more than of types, its names first. */
const EAGER = /^(?:import|export) (?!type )(?:\{([^}]*)\}|[^;]*?) ?from "[^"]+";$/gm;

const STEPS = ORDER.split(" · ").map((step) => step.split(", "));
const PLAN_STEP = stepOf("plan");
const IMPORT = /\b(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g;
const EFFECT =
  /["'](?:bun|bun:[^"']+|node:[^"']+)["']|\bBun\s*[.[]|(?<!\.)\bprocess\.(?:std|env\b|argv|exec|exit|on\b|once\b|cwd|kill|[gs]et)/;
const CHANCE =
  /\bMath\.random\b|\bDate\b|\bcrypto\.(?!ts\b)|\bfetch\(|\bset(?:Timeout|Interval)\b|\bperformance\./;
const MODULE_STATE = /^(?:export )?(?:let|var)\b/m;

/** The parts of src/ in their order. */
export const PARTS: readonly string[] = STEPS.flat();

/** Imports against the order of src/, as "file -> target"; a folder without a place in the order is named too. */
export function listWrongDirections(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => {
    const from = stepOf(partOf(file));
    if (from < 0) return [`${file}: src/${partOf(file)} has no place in the order`];
    return importsOf(file, text)
      .filter((target) => partOf(target) !== partOf(file) && !(stepOf(partOf(target)) < from))
      .map((target) => `${file} -> ${target}`);
  });
}

/** Files that name src/host/linux/ and are no beginning. */
export function listWrongUsersOfLinux(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => {
    if (mayAct(file)) return [];
    return importsOf(file, text).some((target) => target.startsWith("host/linux/")) ? [file] : [];
  });
}

/** Files that touch bun, node: or the process, besides src/host/linux/ and the beginnings. */
export function listEffects(sources: Sources): string[] {
  return [...sources].filter(([f, text]) => !mayAct(f) && EFFECT.test(withoutComments(text))).map(([f]) => f);
}

/** Files left of host.ts with a clock, chance or state of the module in them. */
export function listImpure(sources: Sources): string[] {
  const impure = (code: string): boolean => CHANCE.test(code) || MODULE_STATE.test(code);
  return [...sources]
    .filter(([f, text]) => stepOf(partOf(f)) <= PLAN_STEP && impure(withoutComments(text)))
    .map(([f]) => f);
}

/** What is read in with `svirt start` before it does anything and makes forms of XML: what was kept is started without. */
export function listFormsReadInByStart(sources: Sources): string[] {
  const found = new Set(STARTS.filter((file) => sources.has(file)));
  for (const file of found)
    for (const target of eagerImportsOf(file, sources.get(file) ?? "")) found.add(target);
  return [...found].filter((file) => FORMS.includes(file));
}

function eagerImportsOf(file: string, text: string): string[] {
  const eager = [...withoutComments(text).matchAll(EAGER)].filter(([, names = ""]) =>
    names.split(",").some((name) => !/^\s*(?:type\b|$)/.test(name)),
  );
  return importsOf(file, eager.map(([statement]) => statement).join("\n"));
}

function mayAct(file: string): boolean {
  return BEGINNINGS.includes(file) || file.startsWith("host/linux/");
}

function partOf(file: string): string {
  return (file.split("/")[0] ?? "").replace(/\.ts$/, "");
}

function stepOf(part: string): number {
  return STEPS.findIndex((step) => step.includes(part));
}

/** Returns the files of src/ that a file imports, also types and when it is called, by path below src/. */
export function importsOf(file: string, text: string): string[] {
  const specifiers = [...withoutComments(text).matchAll(IMPORT)].map(([, specifier]) => specifier ?? "");
  const targets = specifiers.map((specifier) => new URL(specifier, `file:///src/${file}`).pathname);
  return targets.filter((target) => target.startsWith("/src/")).map((target) => target.slice("/src/".length));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}
