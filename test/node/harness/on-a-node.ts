import { afterAll, beforeAll, expect, test } from "bun:test";
import { isNodeUp } from "../isolation/on-the-node.ts";
import { newDenials } from "./denials.ts";
import { node, prepare, tearDown } from "./on-the-node.ts";

/** What a test on the node may need. */
interface Needs {
  /** For one that wants the kernel to deny something: what its log then has of it. */
  readonly denied?: RegExp;
  readonly timeoutMs?: number;
}

/** As bun's `test`. It fails, too, when svirt or a guest was denied something meanwhile that it does not name. */
type NodeTest = (title: string, body: () => unknown, needs?: Needs) => void;

/** For who reads which test made the kernel log something: each then begins with its title there. */
const isMarked = process.env["SVIRT_MARK_TESTS"] !== undefined;

/**
 * `test` for a file whose tests are scripts on the node, which is prepared before the first and left as it was after the
 * last. Where none is up they are skipped: `scripts/node start` first.
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
