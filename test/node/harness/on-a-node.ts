import { afterAll, beforeAll, expect, test } from "bun:test";
import { isNodeUp } from "../isolation/on-the-node.ts";
import { newDenials } from "./denials.ts";
import { node, prepare, tearDown } from "./on-the-node.ts";

/** Needs of a test on the node. */
interface Needs {
  /** Denials that the test causes on purpose, as the kernel's log has them. */
  readonly denied?: RegExp;
  readonly timeoutMs?: number;
}

/** As bun's `test`. It also fails if svirt or a guest was denied something that `denied` does not match. */
type NodeTest = (title: string, body: () => unknown, needs?: Needs) => void;

/** Each test then begins with its title in the kernel's log, to assign log lines to tests. */
const isMarked = process.env["SVIRT_MARK_TESTS"] !== undefined;

/**
 * Returns `test` for a file whose tests are scripts on the node. The node is prepared before the first test
 * and restored after the last. If no node is up, the tests are skipped: `scripts/node start` first.
 */
export async function onANode(): Promise<NodeTest> {
  const isUp = await isNodeUp();
  if (isUp) {
    beforeAll(async () => {
      await prepare();
      await newDenials();
    });
    afterAll(tearDown);
  }
  return (title, body, { denied, timeoutMs } = {}) =>
    test.skipIf(!isUp)(
      title,
      async () => {
        if (isMarked) await node(["ssh", `cat >/dev/kmsg`], `svirt-test: ${title}\n`);
        await body();
        const denials = await newDenials();
        expect(denials.filter((line) => denied?.test(line) !== true)).toEqual([]);
      },
      timeoutMs,
    );
}
