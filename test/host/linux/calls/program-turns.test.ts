import { expect, test } from "bun:test";
import { runAlone, runBeside } from "../../../../src/host/linux/calls/program-turns.ts";

test("a run that only waits to be alone delays no other", async () => {
  const order: string[] = [];
  const long = Promise.withResolvers<void>();
  const first = runBeside(async () => await long.promise);
  const alone = runAlone(async () => void order.push("alone"));
  await Bun.sleep(1);
  await runBeside(async () => void order.push("beside"));
  expect(order).toEqual(["beside"]);
  long.resolve();
  await Promise.all([first, alone]);
  expect(order).toEqual(["beside", "alone"]);
});

test("none begins while one is alone, and a failure ends a turn", async () => {
  const order: string[] = [];
  const turn = Promise.withResolvers<void>();
  const alone = runAlone(async () => {
    await turn.promise;
    order.push("alone");
    throw new Error("failed");
  });
  await Bun.sleep(1);
  const next = runBeside(async () => void order.push("beside"));
  const last = runAlone(async () => void order.push("next"));
  turn.resolve();
  await expect(alone).rejects.toThrow("failed");
  await Promise.all([next, last]);
  expect(order).toEqual(["alone", "beside", "next"]);
});
