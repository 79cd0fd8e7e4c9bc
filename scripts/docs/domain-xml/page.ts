import { posix } from "node:path";
import { type Place, placeName, type Variant } from "../../../src/xml/declaration.ts";
import { listRefusals } from "./refusals.ts";
import { formOf, listSections, type Section } from "./sections.ts";
import { STARTS } from "./starts.ts";
import { formatRefusals } from "./tables.ts";

const IN_DEFINITION = ", and by `define` too: [reasons](README.md#refused-in-a-definition).";
const HEAD = "Made by `bun scripts/write-docs.ts`; do not edit. A place in **bold** is required.";

/** Returns a page: the elements that a start takes and refuses, then each element with its places. */
export function formatPage(page: string, sections: readonly Section[]): string {
  const names = sections
    .filter(({ plainPath }) => isTop(plainPath))
    .map(({ form }) => `\`<${form.tag}>\``)
    .join(", ");
  return [
    `# ${names}`,
    "",
    `${HEAD} [All elements](${posix.relative(posix.dirname(page === "devices" ? "devices/a" : page), "README.md")}).`,
    "",
    ...formatStart(page),
    ...sections.map((section) => formatSection(section, page)),
  ].join("\n");
}

function isTop(path: string): boolean {
  const parts = path.split("/").slice(1);
  return parts.length === 3 ? parts[1] === "devices" : parts.length < 3;
}

function formatStart(page: string): readonly string[] {
  const takes = STARTS[page]?.takes ?? "";
  const refusals = listRefusals(page);
  const said = takes === "" ? `Refused${refusals.length === 0 ? IN_DEFINITION : "."}` : takes;
  const table = refusals.length === 0 ? [] : ["A start refuses:", "", ...formatRefusals(refusals), ""];
  return ["## At a start", "", said, "", ...table];
}

function formatSection({ form, path }: Section, page: string): string {
  const alternatives = form.variants.flatMap((variant) => [
    ...(variant.when === undefined ? [] : [`${formatSelector(variant.when)}:`, ""]),
    ...listBesides(variant, page),
    "",
  ]);
  return [`## ${path}`, "", ...alternatives, ...formatExceptions(form.variants)].join("\n");
}

/** Lists the places except the attribute that the line above names. */
function listBesides({ places, when }: Variant, page: string): readonly string[] {
  const besides = places.filter((place) => place.in !== "attribute" || place.name !== when?.attribute);
  return besides.length === 0 ? ["- nothing more"] : besides.map((place) => formatPlace(place, page));
}

function formatSelector({ attribute, word, said }: NonNullable<Variant["when"]>): string {
  if (said === "absent") return `Without \`@${attribute}\``;
  return `With \`${attribute}='${word}'\`${said === "either" ? ", or without it" : ""}`;
}

function formatPlace(place: Place, page: string): string {
  const linked = `${formatLink(place, page)}`;
  const name = place.required === true ? `**${linked}**` : linked;
  return `- ${name}${place.in === "child" && place.many ? ", any number" : ""}${formatInside(place)}`;
}

function formatLink(place: Place, page: string): string {
  const name = `\`${placeName(place)}\``;
  const variants = formOf(place)?.variants;
  const section = listSections().find(({ form }) => form.variants === variants);
  if (section === undefined) return name;
  const from = posix.dirname(page === "devices" ? "devices/README" : page);
  const file =
    section.page === page
      ? ""
      : posix.relative(from, `${section.page === "devices" ? "devices/README" : section.page}.md`);
  return `[${name}](${file}#${section.path
    .toLowerCase()
    .replace(/[^a-z0-9_ -]/g, "")
    .replaceAll(" ", "-")})`;
}

function formatInside(place: Place): string {
  if (place.in !== "child") return `: ${place.form.expects}`;
  switch (place.inside.is) {
    case "text":
      return `: ${place.inside.form.expects}`;
    case "kept":
      return ": anything, kept as it is";
    case "empty":
      return ": empty";
    case "declared":
      return "";
  }
}

function formatExceptions(variants: readonly Variant[]): readonly string[] {
  const lines = variants.flatMap(({ exceptions, when }) => [
    ...exceptions.map(
      ({ place, act, why }) => `- ${act === "refuse" ? "refused" : "ignored"}: \`${place}\`: ${why}`,
    ),
    ...[...(when?.refused ?? [])].map(([word, why]) => `- refused: \`${when?.attribute}='${word}'\`: ${why}`),
  ]);
  return lines.length === 0 ? [] : [...new Set(lines), ""];
}
