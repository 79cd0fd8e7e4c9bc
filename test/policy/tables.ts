import { fileURLToPath } from "node:url";
import type { OurRight } from "./needed.ts";
import { formatTable, parseTable, type RightTable } from "./right-table.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

/** The heading in fails.txt of rights without which the scenario that uses them passes. */
export const NOTHING = "nothing";

const HEADS = {
  "used.txt": `# Which rights of svirt's modules were seen used, and in which scenario first: test/node/SCENARIO.test.ts. Written by
# scripts/policy-use.ts.
`,
  "fails.txt": `# What fails without a right of svirt's modules: SCENARIO: TEST is a test of test/node/SCENARIO.test.ts that was seen failing on
# a node whose policy lacked this one right. Written by scripts/policy-needs.ts. Under "${NOTHING}" are those without which the
# scenario that uses them (used.txt) passes.
`,
};

/** A table of this folder that a script writes. */
type Written = keyof typeof HEADS;

/** Reads used.txt, fails.txt, or explained.txt, which is written by hand. */
export async function readTable(name: Written | "explained.txt"): Promise<RightTable> {
  return parseTable(await Bun.file(FOLDER + name).text());
}

/** Writes one of those that scripts write. */
export async function writeTable(
  name: Written,
  rights: readonly OurRight[],
  table: RightTable,
): Promise<void> {
  await Bun.write(FOLDER + name, formatTable(HEADS[name], rights, table));
}
