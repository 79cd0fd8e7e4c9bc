import { expect, test } from "bun:test";

const MODULE = new URL("../../../../src/host/linux/terminal/caller.ts", import.meta.url).pathname;
const BYTES = 8 * 1024 * 1024;
/** Time for which the client is silent, and then does not read. */
const SILENT_MS = 400;
const LEAST_TICKS = 20;

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
  const child = Bun.spawn([...before, process.execPath, "-e", SCRIPT], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  await Bun.sleep(SILENT_MS);
  child.stdin.write(String(BYTES));
  await child.stdin.flush();
  await Bun.sleep(SILENT_MS);
  let total = 0;
  while (total < BYTES) total += (await reader.read()).value?.length ?? BYTES;
  await child.stdin.end();
  const said = await new Response(child.stderr).text();
  const [, read = "0", written = "0"] = /^read (\d+) written (\d+) ended$/.exec(said) ?? [];
  expect([total, said]).toEqual([BYTES, expect.stringMatching(/^read \d+ written \d+ ended$/)]);
  expect(Number(written) - Number(read)).toBeGreaterThan(LEAST_TICKS);
});

test("ends when the client has gone, and drops what it writes", async () => {
  const child = Bun.spawn(["sh", "-c", `"$0" -e '${SCRIPT.replaceAll("'", "")}' | true`, process.execPath], {
    stdin: new Blob(["1000000"]),
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toMatch(/^read \d+ written \d+ ended$/);
});
