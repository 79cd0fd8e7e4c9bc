import { fileURLToPath } from "node:url";
import type { OurRight } from "./needed.ts";
import { formatTable, parseTable, type RightTable } from "./right-table.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

const HEAD = `# What fails without a right of svirt's modules: SCENARIO: TEST is a test of test/node/SCENARIO.test.ts that was seen failing on
# a node whose policy lacked this one right. Written by scripts/policy-needs.ts.
`;

/** Reads fails.txt, or explained.txt, which is written by hand. */
export async function readTable(name: "fails.txt" | "explained.txt"): Promise<RightTable> {
  return parseTable(await Bun.file(FOLDER + name).text());
}

/** Writes fails.txt. */
export async function writeFails(rights: readonly OurRight[], table: RightTable): Promise<void> {
  await Bun.write(`${FOLDER}fails.txt`, formatTable(HEAD, rights, table));
}
