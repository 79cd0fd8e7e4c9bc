import { readFileSync } from "node:fs";
import { listSubjects } from "./subjects.ts";

const BEGIN = "<!-- Made by bun scripts/write-docs.ts: -->\n";
const END = "<!-- End of the generated part. -->";

/** Returns README.md with the present table of commands. Throws if the marks of the table are missing. */
export function formatReadme(): string {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [before, rest = ""] = readme.split(BEGIN);
  const [, after] = rest.split(END);
  if (before === undefined || after === undefined)
    throw new Error("README.md has no marks of a generated table");
  return `${before}${BEGIN}\n${formatTable()}\n${END}${after}`;
}

function formatTable(): string {
  const rows = listSubjects().map(
    ({ commands, purpose }) => `| ${purpose} | ${commands.map((name) => `\`${name}\``).join(", ")} |`,
  );
  return ["| purpose | commands |", "| --- | --- |", ...rows, ""].join("\n");
}

/** Formats the contents of docs/commands.md: a line for each subject, with a link to each command. */
export function formatContents(): readonly string[] {
  return listSubjects().map(
    ({ commands, purpose }) =>
      `- ${purpose.replace("docs/", "")}: ${commands.map((name) => `[${name}](#${name})`).join(", ")}`,
  );
}
