import { expect, test } from "bun:test";
import { askChild } from "../../../../src/host/linux/mounts/ask-child.ts";
import { errorOf } from "../../../scenes/scene.ts";

const ORDER = { source: "svirt-test", server: undefined, attempts: [], flags: [] } as const;

test("a child without an answer in time is killed, and the error says how long svirt waited", async () => {
  const { kind, message } = await errorOf(askChild({ work: "mount", order: ORDER }, "mount a:/b", 1));
  expect([kind, message]).toEqual(["timeout", "Cannot mount a:/b: there was no answer within 0.001 seconds"]);
});

test("a child ends when it is told to", async () => {
  const { answer, child } = await askChild({ work: "mount", order: ORDER }, "mount a:/b");
  expect(answer).toEqual({ errno: 0, why: "" });
  await child.end();
  expect(() => process.kill(child.pid, 0)).toThrow("ESRCH");
});
