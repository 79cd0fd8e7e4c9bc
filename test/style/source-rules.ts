/** Order of src/. A part imports only from parts further left, never from one beside it. */
const ORDER =
  "virterror · errors · access, xml, selinux, images · domain · network, storage, secret, qemu, label · plan · host · registry · run · report, state · resolve · labelling · vm · rpc · cli · main";

/** Entry points, which connect the effects with the rest. */
const BEGINNINGS: readonly string[] = ["main.ts"];

/** Text of each file, by its path below src/. */
export type Sources = ReadonlyMap<string, string>;

/** Files of `svirt start`, including the recovery of guests, and of `svirt list`. */
const STARTS: readonly string[] = [
  "main.ts",
  "cli/commands/query/list.ts",
  "cli/commands/run/start.ts",
  "state/record.ts",
  "vm/recover/recover.ts",
];
/** Modules that make forms of XML, the parser, and the schemas of steps. */
const FORMS: readonly string[] = [
  "plan/steps/kinds.ts",
  "xml/choice.ts",
  "xml/element.ts",
  "xml/fast-xml.ts",
  "xml/field.ts",
];
/** Matches an import or a re-export that is not only of types. Captures its names. */
const EAGER = /^(?:import|export) (?!type )(?:\{([^}]*)\}|[^;]*?) ?from "[^"]+";$/gm;

/** Matches an import when called. */
const CALLED = /(?<!typeof )\bimport\(\s*"[^"]+"/g;

const STEPS = ORDER.split(" · ").map((step) => step.split(", "));
const PLAN_STEP = stepOf("plan");
const IMPORT = /\b(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g;
const EFFECT =
  /["'](?:bun|bun:[^"']+|node:[^"']+)["']|\bBun\s*[.[]|(?<!\.)\bprocess\.(?:std|env\b|argv|exec|exit|on\b|once\b|cwd|kill|[gs]et)/;
const CHANCE =
  /\bMath\.random\b|\bDate\b|\bcrypto\.(?!ts\b)|\bfetch\(|\bset(?:Timeout|Interval)\b|\bperformance\./;
const MODULE_STATE = /^(?:export )?(?:let|var)\b/m;

/** Parts of src/ in order. */
export const PARTS: readonly string[] = STEPS.flat();

/** Lists imports against the order of src/, as "file -> target", and folders without a place in the order. */
export function listWrongDirections(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => {
    const from = stepOf(partOf(file));
    if (from < 0) return [`${file}: src/${partOf(file)} has no place in the order`];
    return importsOf(file, text)
      .filter((target) => partOf(target) !== partOf(file) && !(stepOf(partOf(target)) < from))
      .map((target) => `${file} -> ${target}`);
  });
}

/** Lists files that import src/host/linux/ and are no entry points. */
export function listWrongUsersOfLinux(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => {
    if (mayAct(file)) return [];
    return importsOf(file, text).some((target) => target.startsWith("host/linux/")) ? [file] : [];
  });
}

/** Lists files that use bun, node: or the process, except src/host/linux/ and the entry points. */
export function listEffects(sources: Sources): string[] {
  return [...sources].filter(([f, text]) => !mayAct(f) && EFFECT.test(withoutComments(text))).map(([f]) => f);
}

/** Lists files left of host.ts that use a clock, randomness or module state. */
export function listImpure(sources: Sources): string[] {
  const impure = (code: string): boolean => CHANCE.test(code) || MODULE_STATE.test(code);
  return [...sources]
    .filter(([f, text]) => stepOf(partOf(f)) <= PLAN_STEP && impure(withoutComments(text)))
    .map(([f]) => f);
}

/**
 * Lists modules that `svirt start` loads at once and that make forms of XML or schemas of steps. A start from
 * a kept form needs none.
 */
export function listFormsReadInByStart(sources: Sources): string[] {
  const found = new Set(STARTS.filter((file) => sources.has(file)));
  for (const file of found)
    for (const target of eagerImportsOf(file, sources.get(file) ?? "")) found.add(target);
  return [...found].filter((file) => FORMS.includes(file));
}

/** Returns the files of src/ from which a file imports values at once, by path below src/. */
export function eagerImportsOf(file: string, text: string): string[] {
  const eager = [...withoutComments(text).matchAll(EAGER)].filter(([, names = ""]) =>
    names.split(",").some((name) => !/^\s*(?:type\b|$)/.test(name)),
  );
  return importsOf(file, eager.map(([statement]) => statement).join("\n"));
}

/** Returns the files of src/ from which a file imports values, at once or when called, by path below src/. */
export function valueImportsOf(file: string, text: string): string[] {
  const called = [...withoutComments(text).matchAll(CALLED)].map(([call]) => call);
  return [...eagerImportsOf(file, text), ...importsOf(file, called.join("\n"))];
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

/**
 * Returns the files of src/ that a file imports, including types and imports at call time, by path below
 * src/.
 */
export function importsOf(file: string, text: string): string[] {
  const specifiers = [...withoutComments(text).matchAll(IMPORT)].map(([, specifier]) => specifier ?? "");
  const targets = specifiers.map((specifier) => new URL(specifier, `file:///src/${file}`).pathname);
  return targets.filter((target) => target.startsWith("/src/")).map((target) => target.slice("/src/".length));
}

/** Returns a source text without its comments. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}
