/** Rule of the product, and a file that carries it out, by path below src/. */
export interface RulePlace {
  readonly rule: string;
  readonly file: string;
}

/** Lines of a table, and the links in them. */
const ROW = /^\| (.+?) \| (.+) \|$/gm;
const LINK = /\]\(src\/([^)]+\.ts)\)/g;
const STATED = /^\/\/ Rule: (.+)$/gm;

/** Returns the rules of the section "Where each rule is" of ARCHITECTURE.md, with each of their files. */
export function listTabledRules(page: string): readonly RulePlace[] {
  const [, section = ""] = page.split(/^## Where each rule is$/m);
  const [table = ""] = section.split(/^## /m);
  return [...table.matchAll(ROW)].flatMap(([, rule = "", cell = ""]) =>
    [...cell.matchAll(LINK)].map(([, file = ""]) => ({ rule, file })),
  );
}

/** Returns the rules that files state in comments, each on a line of its own. */
export function listStatedRules(sources: ReadonlyMap<string, string>): readonly RulePlace[] {
  return [...sources].flatMap(([file, text]) =>
    [...text.matchAll(STATED)].map(([, rule = ""]) => ({ rule, file })),
  );
}

/** Lists rules that are in the table or in a file, and not in both: "file: rule". */
export function listDifferences(
  tabled: readonly RulePlace[],
  stated: readonly RulePlace[],
): readonly string[] {
  const named = ({ file, rule }: RulePlace): string => `${file}: ${rule}`;
  const [inTable, inFiles] = [new Set(tabled.map(named)), new Set(stated.map(named))];
  return [...inTable.symmetricDifference(inFiles)];
}
