/** Keywords of nft for IPv4 and IPv6. */
export const LAYERS = { ipv4: "ip", ipv6: "ip6" } as const;

/** Returns the name of a network's tables. */
export function tableOf(uuid: string): string {
  return `svirt_${uuid.replaceAll("-", "")}`;
}

/** Returns the lines of a chain. */
export function chain(name: string, hook: string, rules: readonly string[]): readonly string[] {
  return [`chain ${name} {`, `  ${hook}`, ...rules.map((rule) => `  ${rule}`), "}"];
}

/** Returns the text of a table with these lines. nft(8) */
export function formatBlock(head: string, lines: readonly string[]): string {
  return `${head} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}
