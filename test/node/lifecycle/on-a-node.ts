import { afterAll, beforeAll, test } from "bun:test";
import { isNodeUp } from "../isolation/on-the-node.ts";
import { prepare, tearDown } from "./on-the-node.ts";

/**
 * `test` for a file whose tests are scripts on the node, which is prepared before the first and left as it was after the
 * last. Where none is up they are skipped: `scripts/node start` first.
 */
export async function onANode(): Promise<typeof test> {
  const isUp = await isNodeUp();
  if (isUp) {
    beforeAll(prepare);
    afterAll(tearDown);
  }
  return test.skipIf(!isUp);
}
