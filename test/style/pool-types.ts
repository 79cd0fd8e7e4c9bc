import { POOL_TYPES } from "../../src/storage/pool/pool-types.ts";
import { importsOf, type Sources, withoutComments } from "./source-rules.ts";

/** Files of a type's backend. */
const BACKENDS = /^(?:storage|vm)\/pool\/backends\//;
/** Files that deal with pools: by their folder, or by an import. */
const OF_POOLS = /(?:^|\/)(?:pools?|volume)\//;

/** Files that compare another type with such a word, and why. */
export const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ["vm/pool/iscsi/password.ts", "the type is that of a secret's usage"],
]);

const WORD = `["'\`](?:${POOL_TYPES.join("|")})["'\`]`;
const TYPE = "\\b\\w*[tT]ype\\b\\)?";
const COMPARISONS: readonly RegExp[] = [
  new RegExp(`${TYPE}\\s*[!=]==?\\s*\\(?${WORD}`, "g"),
  new RegExp(`${WORD}\\)?\\s*[!=]==?\\s*(?:[\\w.?()]*\\.)?${TYPE}`, "g"),
  new RegExp(`\\bcase\\s+${WORD}\\s*:`, "g"),
  // A list of types, which a type is looked up in.
  new RegExp(`\\[[^\\][]*${WORD}[^\\][]*\\]\\)?\\s*\\.(?:includes|has|indexOf|some)\\(`, "g"),
  new RegExp(`(?:PoolType\\[\\]|(?:Set|Map|Array)<PoolType\\b[^>]*>)[^;]*${WORD}`, "g"),
];

/**
 * Lists comparisons of a pool's type with a word, as "file: comparison", in files other than those of its
 * backends.
 */
export function listTypeComparisons(sources: Sources, exceptions = EXCEPTIONS): string[] {
  return [...sources]
    .filter(([file, text]) => !BACKENDS.test(file) && !exceptions.has(file) && isOfPools(file, text))
    .flatMap(([file, text]) =>
      COMPARISONS.flatMap((form) => withoutComments(text).match(form) ?? []).map(
        (found) => `${file}: ${found}`,
      ),
    );
}

function isOfPools(file: string, text: string): boolean {
  return OF_POOLS.test(file) || importsOf(file, text).some((target) => OF_POOLS.test(target));
}
