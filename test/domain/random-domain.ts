import fc from "fast-check";
import { domain } from "../../src/domain/domain.ts";
import {
  absolutePath,
  domainName,
  generationId,
  macAddress,
  securityLabel,
  uuid,
} from "../../src/domain/forms/text.ts";
import type { ElementForm, Place } from "../../src/xml/declaration.ts";
import { type Draft, emptyDraft, textDraft } from "../../src/xml/draft.ts";
import { formatDocument } from "../../src/xml/format-document.ts";
import type { ValueForm } from "../../src/xml/value-form.ts";

type Choose = fc.GeneratorValue;

/**
 * Documents made from the declarations alone. Each place is present or absent, with a text that its form
 * accepts.
 */
export const randomDomain: fc.Arbitrary<string> = fc
  .gen()
  .map((choose) => formatDocument(randomElement(choose, domain, 0)));

function randomElement(choose: Choose, form: ElementForm<unknown>, depth: number): Draft {
  const draft = emptyDraft(form.tag);
  // Chooses by number: fast-check would walk through the whole form.
  const variant = form.variants[choose(fc.nat, { max: form.variants.length - 1 })];
  if (variant === undefined) return draft;
  // Fills few of many places: a document with all of them contradicts itself.
  const rarity = Math.max(2, Math.floor(variant.places.length / 4));
  for (const place of variant.places) {
    if (place.in === "attribute" && place.name === variant.when?.attribute) {
      draft.attributes.set(place.name, variant.when.word);
    } else if (place.required === true || choose(fc.nat, { max: rarity }) === 0) {
      fill(choose, place, { draft, depth });
    }
  }
  // An element with children may have no text but white space.
  if (draft.children.length > 0) draft.text = undefined;
  return draft;
}

function fill(choose: Choose, place: Place, { draft, depth }: { draft: Draft; depth: number }): void {
  if (place.in === "attribute") draft.attributes.set(place.name, randomText(choose, place.form));
  else if (place.in === "text") draft.text = randomText(choose, place.form);
  else if (place.inside.is === "empty") draft.children.push(emptyDraft(place.name));
  else if (place.inside.is === "kept")
    draft.children.push(`<${place.name}><a:b xmlns:a='c'/></${place.name}>`);
  else if (place.inside.is === "text")
    draft.children.push(textDraft(place.name, randomText(choose, place.inside.form)));
  else if (depth < 8) {
    const times = place.many ? choose(fc.nat, { max: 2 }) : 1;
    const inner = place.inside.form();
    for (let time = 0; time < times; time += 1) draft.children.push(randomElement(choose, inner, depth + 1));
  }
}

const SAMPLES: ReadonlyMap<ValueForm<unknown>, readonly string[]> = new Map<
  ValueForm<unknown>,
  readonly string[]
>([
  [absolutePath, ["/a", "/srv/b c.raw", "/dev/vg0/d", "/ö,e=f"]],
  [domainName, ["a", "web 1", "größe"]],
  [uuid, ["c7a5fdbd-edaf-9455-926a-d65c16db1809"]],
  [generationId, ["c7a5fdbd-edaf-9455-926a-d65c16db1809", ""]],
  [macAddress, ["52:54:00:00:00:01"]],
  [securityLabel, ["system_u:system_r:svirt_t:s0:c1,c2"]],
]);

const TRIES = [
  "a",
  "ua-a",
  "vda",
  "sdb",
  "hdc",
  "fda",
  "1",
  "1.2",
  "isa-serial",
  "127.0.0.1",
  "644",
  "unix:path=/run/bus",
  "5000c50015ea71ad",
  "naa.5123456789abcde0",
  "2.56",
  "x y",
  "q35",
  "pc",
  "<&'\">",
];

/**
 * Returns a text that the form accepts: a sample, a word or bound that its `expects` names, or a common text.
 */
function randomText(choose: Choose, form: ValueForm<unknown>): string {
  const named = [...form.expects.matchAll(/"([^"]+)"|\b(-?(?:0x[0-9a-f]+|[0-9]+))\b/g)].map(
    ([, text, number]) => text ?? number ?? "",
  );
  const takes = [...(SAMPLES.get(form) ?? []), ...named, ...TRIES].filter(
    (text) => form.decode(text) !== undefined,
  );
  return choose(fc.constantFrom, ...takes);
}
