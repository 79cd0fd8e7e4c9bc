/** Returns the items in an order that depends on the seed alone. Fisher and Yates, with xorshift32. */
export function shuffle<Item>(items: readonly Item[], seed: number): readonly Item[] {
  const order = [...items];
  const next = randomOf(seed);
  for (let last = order.length - 1; last > 0; last -= 1) {
    const at = next() % (last + 1);
    const [one, other] = [order[last], order[at]];
    if (one !== undefined && other !== undefined) [order[last], order[at]] = [other, one];
  }
  return order;
}

/**
 * Returns a source of numbers from 0 to 2^32 - 1. The first numbers of similar seeds are similar, so they are
 * dropped.
 */
function randomOf(seed: number): () => number {
  let state = (Math.imul(seed, 2_654_435_761) ^ 0x9e37_79b9) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  for (let at = 0; at < 8; at += 1) next();
  return next;
}
