import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { askChild } from "../../../../src/host/linux/mounts/ask-child.ts";
import { errorOf } from "../../../scenes/scene.ts";

const ORDER = { source: "svirt-test", server: undefined, attempts: [], flags: [] } as const;
const WAIT_MS = 5000;

/** Lists the processes that are such children of this one and have not ended. proc_pid_stat(5) */
function listChildren(): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return state !== "Z" && parent === String(process.pid) && words.includes("#mount");
    } catch {
      return false;
    }
  });
}

/**
 * Asks until a child is late: on a busy machine this process may find the answer before it finds the time
 * over.
 */
async function askLate(): Promise<void> {
  for (let left = 20; left > 0; left -= 1) {
    const { child } = await askChild({ work: "mount", order: ORDER }, "mount a:/b", { limitMs: 1 });
    await child.end();
  }
}

test("a child without an answer in time is killed, and the error says how long svirt waited", async () => {
  const { kind, message } = await errorOf(askLate());
  expect([kind, message]).toEqual(["timeout", "Cannot mount a:/b: there was no answer within 0.001 seconds"]);
  const end = Date.now() + WAIT_MS;
  while (listChildren().length > 0 && Date.now() < end) await Bun.sleep(10);
  expect(listChildren()).toEqual([]);
});

test("a child ends when it is told to", async () => {
  const { answer, child } = await askChild({ work: "mount", order: ORDER }, "mount a:/b");
  expect(answer).toEqual({ errno: 0, why: "" });
  expect(listChildren()).toEqual([String(child.pid)]);
  await child.end();
  expect(() => process.kill(child.pid, 0)).toThrow("ESRCH");
});
