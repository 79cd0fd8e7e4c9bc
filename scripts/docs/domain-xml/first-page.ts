import { listExceptions, listRefusals } from "./refusals.ts";
import { listTops } from "./sections.ts";
import { REFUSED_DEFINITIONS, STARTS } from "./starts.ts";
import { cell } from "./tables.ts";

const HEAD = `# Domain XML

Made by \`bun scripts/write-docs.ts\` from \`src/domain/\`, the rules of what is not implemented, and
[starts.ts](../../scripts/docs/domain-xml/starts.ts); do not edit. What the elements mean:
<https://libvirt.org/formatdomain.html>.

XML is refused at three points, each time with the element's path and a remedy, before anything is changed:

1. **Reading** (every command): [elements and values that svirt refuses](#refused-when-xml-is-read), and all that is not on
   these pages. An unknown element could name a file that svirt would not label.
2. **Definition** (\`define\`, \`create\` and a start): [raw arguments and passwords](#refused-in-a-definition).
3. **Start** (\`start\`, \`create\`, hot-plug): [what is not implemented](#what-a-start-takes-and-refuses). \`validate\` warns of
   it; \`domxml-to-native\` translates it.

Each command lists all refusals of a document, in its order.

A start can also fail because of the host: a file, a device, a permission or a limit that the host does not have. Such errors
are not listed here.`;

const STARTS_HEAD = `## What a start takes and refuses

All that is declared on an element's page is taken, except for the places in the third column.

| elements | a start | but refuses | since svirt does not | reason | instead |
| --- | --- | --- | --- | --- | --- |`;

/**
 * Returns the first page: a table of the elements that a start takes and refuses, then the refusals before a
 * start.
 */
export function formatFirstPage(): string {
  return [
    HEAD,
    "",
    STARTS_HEAD,
    ...Object.keys(STARTS).flatMap(formatRows),
    "",
    ...formatDefinitions(),
    ...formatExceptions("refuse", "Refused when XML is read"),
    ...formatExceptions("drop", "Ignored when XML is read"),
  ].join("\n");
}

function formatRows(page: string): readonly string[] {
  const takes = STARTS[page]?.takes ?? "";
  const refusals = listRefusals(page);
  const head = `| ${formatNames(page)} | ${takes === "" ? "**refuses it**" : cell(takes)} |`;
  if (refusals.length === 0) return [`${head}${takes === "" ? formatDefinition(page) : " | | | |"}`];
  return refusals.map(({ missing, place, remedy, why }, at) => {
    const cells = [`\`${shorten(place)}\``, missing, why, remedy].map(cell);
    return `${at === 0 ? head : "| | |"} ${cells.join(" | ")} |`;
  });
}

/** Formats the row of a page whose elements no definition may have. */
function formatDefinition(page: string): string {
  const [place, why, remedy] = REFUSED_DEFINITIONS.find(([each]) => kebab(each) === page) ?? [];
  if (place === undefined || why === undefined || remedy === undefined)
    throw new Error(`${page} has no reason`);
  return ` \`${shorten(place)}\` | | ${cell(why)} | ${cell(remedy)} |`;
}

function formatNames(page: string): string {
  if (page === "domain") return "[domain](domain.md), its attributes and texts";
  if (page === "devices") return "[devices](devices/README.md)";
  const names = listTops().flatMap((top) => (top.page === page ? [top.form.tag] : []));
  return names.map((name) => `[${name}](${page}.md)`).join(", ");
}

/** Removes the common prefix of places. */
function shorten(place: string): string {
  return place.replace(/^\/domain\/(?:devices\/(?=.))?/, "");
}

function kebab(place: string): string {
  return shorten(place).replace(":", "-");
}

function formatDefinitions(): readonly string[] {
  return [
    "## Refused in a definition",
    "",
    "| place | reason | instead |",
    "| --- | --- | --- |",
    ...REFUSED_DEFINITIONS.map(([place, why, remedy]) => `| \`${place}\` | ${cell(why)} | ${cell(remedy)} |`),
    "",
  ];
}

function formatExceptions(act: "refuse" | "drop", title: string): readonly string[] {
  const rows = listExceptions().filter((each) => each.act === act);
  return [
    `## ${title}`,
    "",
    "| place | reason |",
    "| --- | --- |",
    ...rows.map(({ place, why }) => `| \`${place}\` | ${cell(why)} |`),
    "",
  ];
}
