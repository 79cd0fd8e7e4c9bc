import { isChosen } from "../../src/xml/choice.ts";
import { type ElementForm, type Place, placeName, type Variant } from "../../src/xml/declaration.ts";
import type { XmlNode } from "../../src/xml/node.ts";

/** Declared place, with a path that tells alternatives apart: `/disk[@type='file']/source/@file`. */
export interface DeclaredPlace {
  readonly path: string;
  readonly variant: Variant;
  readonly place: Place;
}

/** Declared place of an element of a document. `text` is the value of the attribute or text. */
export interface FilledPlace extends DeclaredPlace {
  readonly node: XmlNode;
  readonly text: string | undefined;
}

/**
 * Lists every place of a form and of the forms inside it. A form that occurs several times is listed once.
 */
export function listDeclared(form: ElementForm<unknown>): readonly DeclaredPlace[] {
  const seen = new Set<unknown>();
  const walk = (inner: ElementForm<unknown>, around: string): DeclaredPlace[] => {
    if (seen.has(inner.variants)) return [];
    seen.add(inner.variants);
    return inner.variants.flatMap((variant) => {
      const here = `${around}/${inner.tag}${predicate(variant)}`;
      return variant.places.flatMap((place) => {
        const below = formOf(place);
        const path = `${here}/${placeName(place)}`;
        return [{ path, variant, place }, ...(below === undefined ? [] : walk(below, here))];
      });
    });
  };
  return walk(form, "");
}

/** Lists every declared place that an element of a document and its descendants fill. */
export function listFilled(form: ElementForm<unknown>, node: XmlNode, around = ""): readonly FilledPlace[] {
  const variant = form.variants.find(({ when }) => when === undefined || isChosen(node, when));
  if (variant === undefined) return [];
  const here = `${around}/${form.tag}${predicate(variant)}`;
  return variant.places.flatMap((place): readonly FilledPlace[] => {
    const at = { path: `${here}/${placeName(place)}`, variant, place, node };
    if (place.in === "child") {
      const below = formOf(place);
      return node.children
        .filter(({ tag }) => tag === place.name)
        .flatMap((found) => [
          { ...at, text: place.inside.is === "text" ? found.text : undefined },
          ...(below === undefined ? [] : listFilled(below, found, here)),
        ]);
    }
    const text = place.in === "text" ? node.text.trim() : node.attributes.get(place.name);
    return text === undefined || text === "" ? [] : [{ ...at, text }];
  });
}

function formOf(place: Place): ElementForm<unknown> | undefined {
  return place.in === "child" && place.inside.is === "declared" ? place.inside.form() : undefined;
}

function predicate({ when }: Variant): string {
  if (when === undefined) return "";
  return when.said === "absent" ? `[not(@${when.attribute})]` : `[@${when.attribute}='${when.word}']`;
}
