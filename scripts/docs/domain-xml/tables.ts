import type { Refusal } from "./refusals.ts";

/** Formats refusals as a table of Markdown. */
export function formatRefusals(refusals: readonly Refusal[]): readonly string[] {
  return [
    "| place | a start does not | reason | instead |",
    "| --- | --- | --- | --- |",
    ...refusals.map(
      ({ missing, place, remedy, why }) =>
        `| \`${place}\` | ${cell(missing)} | ${cell(why)} | ${cell(remedy)} |`,
    ),
  ];
}

/** Escapes text for a table's cell. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "\\<").replace(/,$/, "");
}
