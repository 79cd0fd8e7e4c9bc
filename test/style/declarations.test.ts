import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { domain } from "../../src/domain/domain.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";
import { type DeclaredPlace, listDeclared, listFilled } from "./declared-places.ts";

const CORPUS = new URL("../data/domain/", import.meta.url).pathname;
const declared = listDeclared(domain);

/** Lists the declared places that no document of the corpus fills. */
async function listUntried(places: readonly DeclaredPlace[]): Promise<readonly string[]> {
  const filled = new Map<unknown, Set<unknown>>();
  for (const file of new Glob("*.xml").scanSync(CORPUS)) {
    for (const { variant, place } of listFilled(
      domain,
      parseDocument(await Bun.file(CORPUS + file).bytes()),
    )) {
      filled.set(variant, (filled.get(variant) ?? new Set()).add(place));
    }
  }
  return places.filter(({ variant, place }) => !filled.get(variant)?.has(place)).map(({ path }) => path);
}

describe("the declarations of <domain>", () => {
  test("have every place exercised by a document of test/data/domain/", async () => {
    expect(await listUntried(declared)).toEqual([]);
  });

  test("would be found out: a place that no document fills is named", async () => {
    const [first] = declared;
    if (first === undefined) throw new Error("nothing is declared");
    const unknown = { ...first, path: "/domain/@nowhere", place: { ...first.place } };
    expect(await listUntried([...declared, unknown])).toEqual(["/domain/@nowhere"]);
  });

  test("give each reason as a sentence about what svirt does or what is the case", () => {
    const variants = new Set(declared.map(({ variant }) => variant));
    const reasons = [...variants].flatMap(({ exceptions, when }) => [
      ...exceptions.map(({ why }) => why),
      ...(when?.refused.values() ?? []),
    ]);
    expect(reasons.length).toBeGreaterThan(20);
    expect(reasons.filter((why) => !/^(?:svirt|it|the|a) ?/.test(why) || why.endsWith("."))).toEqual([]);
  });
});
