import { domain } from "../../../src/domain/domain.ts";
import type { ElementForm, Place, Variant } from "../../../src/xml/declaration.ts";
import { devicePage, PAGES_OF } from "./page-names.ts";

/** Declaration of an element, with the page that describes it. */
export interface Section {
  readonly form: ElementForm<unknown>;
  /** XPath, with the attribute that selects the parent's alternative if two children have the same name. */
  readonly path: string;
  /** XPath without predicates. */
  readonly plainPath: string;
  readonly page: string;
}

/** Pages that describe shared elements: images, backends of character devices, virtual networks. */
const FIRST = ["devices/disk", "devices/chardev", "devices/network"];

interface Spot {
  readonly path: string;
  readonly plainPath: string;
}

/** Returns a section for each declared element. An element in several places has one section. */
export function listSections(): readonly Section[] {
  const seen = new Set<unknown>([domain.variants]);
  const root: Section = { form: domain, path: "/domain", plainPath: "/domain", page: "domain" };
  const sections = [root];
  const walk = (form: ElementForm<unknown>, spot: Spot, page: string): void => {
    if (seen.has(form.variants)) return;
    seen.add(form.variants);
    sections.push({ form, ...spot, page });
    for (const [child, below] of childrenOf(form, spot)) walk(child, below, page);
  };
  const tops = listTops();
  const isFirst = ({ page }: Section): boolean => FIRST.includes(page);
  for (const page of FIRST) for (const top of tops) if (top.page === page) walk(top.form, top, page);
  for (const top of tops) if (!isFirst(top)) walk(top.form, top, top.page);
  return sections;
}

/** Returns the children of `<domain>` and `<devices>` with their pages, in the order of the declarations. */
export function listTops(): readonly Section[] {
  return childrenOf(domain, { path: "/domain", plainPath: "/domain" }).flatMap(([form, spot]): Section[] => {
    const name = form.tag;
    if (name !== "devices") return [{ form, ...spot, page: PAGES_OF.get(name) ?? kebab(name) }];
    const inside = childrenOf(form, spot).map(([device, below]) => {
      return { form: device, ...below, page: devicePage(device.tag) };
    });
    return [...inside, { form, ...spot, page: "devices" }];
  });
}

/** Returns the declared children of all alternatives, each once. */
function childrenOf(
  form: ElementForm<unknown>,
  spot: Spot,
): readonly (readonly [ElementForm<unknown>, Spot])[] {
  const found = new Map<string, { form: ElementForm<unknown>; variants: Variant[] }[]>();
  for (const variant of form.variants) {
    for (const place of variant.places) {
      const child = formOf(place);
      if (child === undefined || place.in !== "child") continue;
      const known = found.get(place.name) ?? [];
      found.set(place.name, known);
      const same = known.find((each) => each.form.variants === child.variants);
      if (same === undefined) known.push({ form: child, variants: [variant] });
      else same.variants.push(variant);
    }
  }
  return [...found].flatMap(([name, known]) =>
    known.map(({ form: child, variants }) => {
      const predicate = known.length === 1 ? "" : predicateOf(variants);
      return [
        child,
        { path: `${spot.path}${predicate}/${name}`, plainPath: `${spot.plainPath}/${name}` },
      ] as const;
    }),
  );
}

/** Returns the form of a declared child. */
export function formOf(place: Place): ElementForm<unknown> | undefined {
  return place.in === "child" && place.inside.is === "declared" ? place.inside.form() : undefined;
}

function predicateOf(variants: readonly Variant[]): string {
  const words = variants.flatMap(({ when }) => {
    if (when === undefined) return [];
    return [when.said === "absent" ? `not(@${when.attribute})` : `@${when.attribute}='${when.word}'`];
  });
  return words.length === 0 ? "" : `[${words.join(" or ")}]`;
}

function kebab(name: string): string {
  return name.replace(":", "-").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
