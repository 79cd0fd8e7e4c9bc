// Usage: bun scripts/domain-xml.ts >docs/domain-xml.md
// Prints what svirt takes of libvirt's domain XML, from the declarations themselves, and what a start refuses of it. test/style/ compares.

import { domain } from "../src/domain/domain.ts";
import { UNREADY } from "../src/vm/refuse-unready.ts";
import { type ElementForm, type Place, placeName, type Variant } from "../src/xml/declaration.ts";

const HEAD = `# The domain XML that svirt takes

Made by \`bun scripts/domain-xml.ts\` from \`src/domain/\` and \`src/vm/unready/\`; do not edit. What is not here is refused
with its path, since what svirt does not know could open a file that nobody labelled. A place in **bold** must be there. An
element that stands in several places is described once. What the elements mean:
<https://libvirt.org/formatdomain.html>. [What only a start refuses](#what-only-a-start-refuses) stands at the end.
`;

const UNREADY_HEAD = `## What only a start refuses

It is read, kept, and translated by \`svirt domxml-to-native\`, but what it asks of the host is not done: a start says so,
with the place, before anything is changed.

| place | svirt does not | instead |
| --- | --- | --- |`;

/** The whole page. */
export function formatPage(): string {
  const seen = new Set<unknown>();
  const sections: string[] = [];
  const walk = (form: ElementForm<unknown>, path: string): void => {
    if (seen.has(form.variants)) return;
    seen.add(form.variants);
    sections.push(formatSection(form, path));
    for (const { places } of form.variants) {
      for (const place of places) {
        if (place.in === "child" && place.inside.is === "declared")
          walk(place.inside.form(), `${path}/${place.name}`);
      }
    }
  };
  walk(domain, "/domain");
  return [HEAD, ...sections, formatUnready()].join("\n");
}

function formatUnready(): string {
  const cell = (words: string): string => words.replaceAll("<", "\\<").replace(/,$/, "");
  const rows = UNREADY.map(
    ({ missing, place, remedy, why }) =>
      `| \`${place}\` | ${cell(why === undefined ? missing : `${missing}: ${why}`)} | ${cell(remedy)} |`,
  );
  return `${[UNREADY_HEAD, ...rows].join("\n")}\n`;
}

function formatSection({ variants }: ElementForm<unknown>, path: string): string {
  const alternatives = variants.flatMap((variant) => [
    ...(variant.when === undefined ? [] : [`${formatSelector(variant.when)}:`, ""]),
    ...listBesides(variant),
    "",
  ]);
  return [`## ${path}`, "", ...alternatives, ...formatExceptions(variants)].join("\n");
}

/** The places but for the one that the heading names. */
function listBesides({ places, when }: Variant): readonly string[] {
  const besides = places.filter((place) => place.in !== "attribute" || place.name !== when?.attribute);
  return besides.length === 0 ? ["- nothing more"] : besides.map(formatPlace);
}

function formatSelector({ attribute, word, said }: NonNullable<Variant["when"]>): string {
  if (said === "absent") return `Without \`@${attribute}\``;
  return `With \`${attribute}='${word}'\`${said === "either" ? ", or without it" : ""}`;
}

function formatPlace(place: Place): string {
  const name = place.required === true ? `**\`${placeName(place)}\`**` : `\`${placeName(place)}\``;
  return `- ${name}${place.in === "child" && place.many ? ", any number" : ""}${formatInside(place)}`;
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
      ({ place, act, why }) => `- ${act === "refuse" ? "refused" : "read over"}: \`${place}\`: ${why}`,
    ),
    ...[...(when?.refused ?? [])].map(([word, why]) => `- refused: \`${when?.attribute}='${word}'\`: ${why}`),
  ]);
  return lines.length === 0 ? [] : [...new Set(lines), ""];
}

if (import.meta.main) process.stdout.write(formatPage());
