import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

const LIBC = fileURLToPath(new URL("../../../../src/host/linux/calls/libc.ts", import.meta.url));

test("a process that may not execute memory that it has written is told to give svirt its label", async () => {
  const script = `
    const { libc } = await import(${JSON.stringify(LIBC)});
    try { libc(); } catch ({ kind, message, remedy }) { console.log(JSON.stringify({ kind, message, remedy })); }`;
  // JavaScriptCore without its JIT, as under a policy that denies execmem.
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { ...process.env, BUN_JSC_useJIT: "0" },
    stderr: "inherit",
  });
  const out: unknown = JSON.parse(await new Response(child.stdout).text());
  expect(out).toEqual({
    kind: "no-access",
    message: "Cannot call the C library: SELinux denies this process execmem",
    remedy: "Load svirt's policy module, and label svirt svirt_manager_exec_t: restorecon -v /usr/bin/svirt",
  });
});
