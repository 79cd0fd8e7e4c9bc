import { expect, test } from "bun:test";

const MODULE = new URL("../../../../src/host/linux/terminal/caller.ts", import.meta.url).pathname;
const BYTES = 8 * 1024 * 1024;
/** Time for which the client is silent, and then does not read. svirt itself needs a part of the first. */
const SILENT_S = 2;
const LEAST_TICKS = 5;

/** Copies the number of bytes that it is asked for, and says on standard error how often a timer of 10 ms has ticked. */
const SCRIPT = `
  import { openCaller } from "${MODULE}";
  let ticks = 0;
  const timer = setInterval(() => { ticks += 1; }, 10);
  const caller = openCaller();
  for await (const chunk of caller.read()) {
    process.stderr.write("read " + ticks + " ");
    await caller.write(new Uint8Array(Number(new TextDecoder().decode(chunk))).fill(7));
    process.stderr.write("written " + ticks + " ");
  }
  process.stderr.write("ended");
  clearInterval(timer);
`;

/** On one processor bun has the fewest threads. */
const WAYS: readonly (readonly [string, readonly string[]])[] = [
  ["all processors", []],
  ["one processor", ["taskset", "-c", "0"]],
];

test.each(WAYS)("neither a silent nor a slow client stops svirt's other work, on %s", async (_, before) => {
  // The client asks late, and reads later still.
  const client = `(sleep ${SILENT_S}; printf ${BYTES}) | "$@" | (sleep ${2 * SILENT_S}; wc -c)`;
  const program = [...before, process.execPath, "-e", SCRIPT];
  const child = Bun.spawn(["sh", "-c", client, "sh", ...program], { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const [, read, written] = /^read (\d+) written (\d+) ended$/.exec(err) ?? [];
  expect([Number(out), err]).toEqual([BYTES, expect.stringContaining("ended")]);
  expect(Number(read)).toBeGreaterThan(LEAST_TICKS);
  expect(Number(written) - Number(read)).toBeGreaterThan(LEAST_TICKS);
});

test("ends when the client has gone, and drops what it writes", async () => {
  const child = Bun.spawn(["sh", "-c", `"$0" -e '${SCRIPT.replaceAll("'", "")}' | true`, process.execPath], {
    stdin: new Blob(["1000000"]),
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toMatch(/^read \d+ written \d+ ended$/);
});
