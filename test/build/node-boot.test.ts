import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// `scripts/node reset` with stand-ins for ssh and for the node's QEMU: the test writes the console.

const NODE = fileURLToPath(new URL("../../scripts/node", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "svirt-boot-"));
const run = join(work, "cache/node/run/boot");
const log = join(run, "console.log");
/** Seconds of silence that the node's console may keep. */
const PATIENCE = 3;

mkdirSync(run, { recursive: true });
mkdirSync(join(work, "bin"));
writeFileSync(join(work, "bin/ssh"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
writeFileSync(join(run, "port"), "1\n");
writeFileSync(join(run, "monitor.in"), "");

let machine: Bun.Subprocess<"pipe">;
beforeEach(() => {
  // Stands for QEMU by the name of its PID file in the arguments.
  machine = Bun.spawn(["bash", "-c", "read", "machine", join(run, "pid"), "end"], { stdin: "pipe" });
  writeFileSync(join(run, "pid"), `${machine.pid}\n`);
  writeFileSync(log, "svirt-node: up\r\n");
});
afterEach(() => machine.kill());
afterAll(() => rmSync(work, { recursive: true }));

function reset() {
  const environment = {
    PATH: `${work}/bin:${process.env["PATH"]}`,
    SVIRT_CACHE: join(work, "cache"),
    SVIRT_NODE: "boot",
    SVIRT_NODE_TIMEOUT: String(PATIENCE),
  };
  return Bun.spawn([NODE, "reset"], {
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
}

test("a boot may take longer than the limit while the console says more", async () => {
  const child = reset();
  let isDone = false;
  const done = child.exited.then(() => {
    isDone = true;
  });
  for (let second = 0; second < 2 * PATIENCE; second += 1) {
    await Bun.sleep(1000);
    expect(isDone).toBe(false);
    appendFileSync(log, `[    ${second}.000000] a module\r\n`);
  }
  appendFileSync(log, "svirt-node: up\r\n");
  await done;
  expect(child.exitCode).toBe(0);
}, 60_000);

test("a boot fails when the console is silent, and shows its end", async () => {
  appendFileSync(log, "the last word\r\n");
  const child = reset();
  const said = await new Response(child.stderr).text();
  expect(await child.exited).toBe(6);
  expect(said).toContain("the last word");
  expect(said).toContain("Cannot reach the node: its console has been silent for");
}, 60_000);

test("a boot fails at once when the machine ends", async () => {
  const child = reset();
  await Bun.sleep(1000);
  machine.kill();
  const said = await new Response(child.stderr).text();
  expect(await child.exited).toBe(1);
  expect(said).toContain("Cannot start the node: it powered off");
}, 60_000);
