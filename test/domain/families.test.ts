import { describe, expect, test } from "bun:test";
import { devices } from "../../src/domain/devices.ts";
import { parseDomainText } from "../../src/domain/document.ts";
import {
  changeFamilies,
  ELEMENTS,
  FAMILIES,
  type FamilyChanges,
  listFamily,
  orderOf,
} from "../../src/domain/families.ts";
import { placeName } from "../../src/xml/declaration.ts";

const everything = parseDomainText(
  await Bun.file(new URL("../data/started/everything.xml", import.meta.url).pathname).text(),
);

/** A table that counts the devices that it is given. */
const counts = (counted: Map<string, number>): FamilyChanges<undefined> =>
  Object.fromEntries(
    FAMILIES.map((family) => [
      family,
      (found: unknown) => {
        counted.set(family, Array.isArray(found) ? found.length : 1);
        return found;
      },
    ]),
  ) as unknown as FamilyChanges<undefined>;

describe("the families of devices", () => {
  test("are the children of <devices> that have a form, each with the element's name", () => {
    const declared = devices.variants.flatMap(({ places }) =>
      places.filter((place) => place.in === "child" && place.inside.is === "declared").map(placeName),
    );
    expect(declared.length).toBeGreaterThan(25);
    expect(Object.values(ELEMENTS)).toEqual(declared as never);
  });

  test("are each changed by their function in a table, if the domain has one", () => {
    const counted = new Map<string, number>();
    expect(changeFamilies(everything.devices, counts(counted), undefined)).toEqual(everything.devices);
    const expected = FAMILIES.flatMap((family): [string, number][] => {
      const found = everything.devices[family];
      return found === undefined ? [] : [[family, listFamily(everything.devices, family).length]];
    });
    expect([...counted].toSorted()).toEqual(expected.toSorted());
  });
});

describe("orderOf()", () => {
  test("takes every key, in any order", () => {
    expect(orderOf<"a" | "b">()(["b", "a"])).toEqual(["b", "a"]);
  });

  test("does not compile without one of them", () => {
    // @ts-expect-error: "b" is missing.
    expect(orderOf<"a" | "b">()(["a"])).toEqual(["a"]);
    // @ts-expect-error: "c" is no key.
    expect(orderOf<"a" | "b">()(["a", "b", "c"])).toHaveLength(3);
  });
});
