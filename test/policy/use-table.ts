import { compare } from "./names.ts";
import { formatRight, type OurRight } from "./needed.ts";

const HEAD = `# Which rights of svirt's modules were seen used, and in which scenario first: test/node/SCENARIO.test.ts. "unseen" are those
# that no run has shown yet. Written by scripts/policy-use.ts; test/policy/long/needed.test.ts wants each right to be here.
`;

/** The scenario of a right that nobody has seen used yet. */
export const UNSEEN = "unseen";

/** The scenario of each right, by formatRight(). */
export type Uses = ReadonlyMap<string, string>;

/** Reads the table of test/policy/used.txt. Throws for another line than "scenario: source target class { permissions }". */
export function parseUses(text: string): Uses {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.flatMap((line) => {
      const [, scenario = "", source = "", target = "", tclass = "", permissions] =
        /^(\S+): (\S+) (\S+) (\S+) \{ (.+) \}$/.exec(line) ?? [];
      if (permissions === undefined) throw new Error(`Cannot read the table of uses: ${line}`);
      return permissions
        .split(" ")
        .map((permission): [string, string] => [
          formatRight({ source, target, tclass, permission }),
          scenario,
        ]);
    }),
  );
}

/** The table for these rights; one that has no scenario is unseen. */
export function formatUses(rights: readonly OurRight[], uses: Uses): string {
  const lines = Map.groupBy(rights, (right) => {
    const { source, target, tclass } = right;
    return `${uses.get(formatRight(right)) ?? UNSEEN}: ${source} ${target} ${tclass}`;
  });
  const text = [...lines].map(
    ([start, own]) =>
      `${start} { ${own
        .map(({ permission }) => permission)
        .toSorted(compare)
        .join(" ")} }`,
  );
  return `${HEAD}\n${text.toSorted(compare).join("\n")}\n`;
}
