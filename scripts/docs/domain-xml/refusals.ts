import { UNIMPLEMENTED_RULES } from "../../../src/domain/unimplemented/refuse.ts";
import { listSections, listTops } from "./sections.ts";
import { STARTS } from "./starts.ts";

/** Refusal by a start. */
export interface Refusal {
  readonly place: string;
  readonly missing: string;
  readonly why: string;
  readonly remedy: string;
}

/** Element or attribute that svirt refuses, or ignores, when it reads XML. */
export interface Exception {
  readonly place: string;
  readonly act: "refuse" | "drop";
  readonly why: string;
}

const NOT_YET = "not implemented";
const ANY_DEVICE = "/domain/devices/*";

/** Returns the refusals by a start on a page: the rules of the source, and others. */
export function listRefusals(page: string): readonly Refusal[] {
  const rules = UNIMPLEMENTED_RULES.filter(({ place }) => place !== ANY_DEVICE && pageOf(place) === page);
  const others = STARTS[page]?.others ?? [];
  const [top = "/domain"] = listTops().flatMap((each) => (each.page === page ? [each.path] : []));
  return [
    ...rules.map(({ missing, place, remedy, why = NOT_YET }) => ({ missing, place, remedy, why })),
    ...others.map(({ missing, place }) => {
      const [first = "", why = NOT_YET] = missing.split(": ");
      return { missing: first, place: place === "" ? top : `${top}/${place}`, remedy: "Leave it out.", why };
    }),
  ];
}

/** Returns the declared exceptions of all elements, each once. */
export function listExceptions(): readonly Exception[] {
  const found = listSections().flatMap(({ form, plainPath }) =>
    form.variants.flatMap(({ exceptions, when }) => [
      ...exceptions.map(({ act, place, why }) => ({ act, place: `${plainPath}/${place}`, why })),
      ...[...(when?.refused ?? [])].map(([word, why]) => ({
        act: "refuse" as const,
        place: `${plainPath}/@${when?.attribute}='${word}'`,
        why,
      })),
    ]),
  );
  return [...new Map(found.map((each) => [`${each.act} ${each.place}`, each])).values()];
}

/** Returns the page of the outermost element of a place; all wildcards mean character devices. */
function pageOf(place: string): string {
  if (place.startsWith(`${ANY_DEVICE}/`)) return "devices/chardev";
  const tops = listTops().filter(({ path }) => place === path || place.startsWith(`${path}/`));
  return tops.find(({ page }) => page !== "devices")?.page ?? tops[0]?.page ?? "domain";
}
