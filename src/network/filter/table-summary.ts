/** First line of a table or of a chain, as nft reads and lists them. */
const TABLE = /^table (\S+ \S+) \{/;
const CHAIN = /^chain (\S+) \{/;
/** Line of a chain about its hook. */
const HOOK = /^type /;

/**
 * Returns for each table in a script or a list of nft the number of rules of each chain, in a text equal for
 * equal tables. A rule is a line. A table added or deleted without content has none. nft(8)
 */
export function summarizeTables(text: string): ReadonlyMap<string, string> {
  const tables = new Map<string, string>();
  for (const block of text.split(/^(?=table )/m)) {
    const [, table] = TABLE.exec(block) ?? [];
    if (table !== undefined) tables.set(table, countRules(block));
  }
  return tables;
}

function countRules(table: string): string {
  const chains = new Map<string, number>();
  let chain: string | undefined;
  for (const line of table.split("\n").map((one) => one.trim())) {
    const [, name] = CHAIN.exec(line) ?? [];
    if (name !== undefined) chains.set(name, 0);
    else if (chain !== undefined && isRule(line)) chains.set(chain, (chains.get(chain) ?? 0) + 1);
    if (name !== undefined || line === "}") chain = name;
  }
  return [...chains]
    .map(([name, count]) => `${name} ${count}`)
    .toSorted()
    .join(", ");
}

function isRule(line: string): boolean {
  return line !== "" && line !== "}" && !HOOK.test(line);
}
