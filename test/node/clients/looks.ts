import { expect } from "bun:test";
import { type Client, LIFE_MS, start } from "./client.ts";
import { expectBack, expectConfined, type Labels, labelsOf, POOL } from "./facts.ts";

/** Acts of the test, by the words that a program prints at each place where it waits for a line of input. */
type Looks = Readonly<Record<string, () => Promise<void>>>;

/** Returns what the test looks at in the life of a guest: its labels, and those of its disks. */
export function looksAtLife(name: string): Looks {
  const [disk, extra, overlay] = [`${POOL}/guest.img`, `${POOL}/extra.img`, `${POOL}/overlay.qcow2`];
  let labels: Labels = new Map();
  return {
    made: async () => {
      labels = await labelsOf([disk, extra]);
    },
    running: () => expectConfined(name, [disk]),
    plugged: () => expectConfined(name, [disk, extra]),
    unplugged: () => expectBack(new Map([[extra, labels.get(extra) ?? ""]])),
    snapshot: () => expectConfined(name, [overlay]),
    saved: () => expectBack(labels),
    restored: () => expectConfined(name, [overlay]),
    off: () => expectBack(labels),
  };
}

/**
 * Runs a program that waits for the test at each of these places, in this order, and must succeed. Returns
 * the lines that it prints besides.
 */
export async function runWithLooks(
  client: Client,
  words: readonly string[],
  looks: Looks,
): Promise<readonly string[]> {
  const child = start(client, words, LIFE_MS);
  const errors = new Response(child.stderr).text();
  const [seen, others]: [string[], string[]] = [[], []];
  for await (const line of linesOf(child.stdout)) {
    const look = looks[line];
    if (look === undefined) others.push(line);
    else {
      seen.push(line);
      await look();
      child.stdin.write("\n");
      void child.stdin.flush();
    }
  }
  expect({ code: await child.exited, err: await errors, seen }).toEqual({
    code: 0,
    err: "",
    seen: Object.keys(looks),
  });
  return others;
}

async function* linesOf(output: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of output) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
  if (text !== "") yield text;
}
