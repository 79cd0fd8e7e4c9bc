import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

const DEFERS = fileURLToPath(new URL("deferring-caller.ts", import.meta.url));

function runWith(...words: readonly string[]) {
  const { exitCode, signalCode, stdout } = Bun.spawnSync([process.execPath, DEFERS, ...words]);
  return { exitCode, signalCode, out: stdout.toString() };
}

describe("Host.deferSignals()", () => {
  test.each(["SIGHUP", "SIGINT", "SIGTERM"])("ends svirt by %s once the work is done", (signal) => {
    expect(runWith(signal)).toMatchObject({ signalCode: signal, out: "done\n" });
  });

  test("lets an error be reported", () => {
    expect(runWith("SIGINT", "fails")).toMatchObject({ exitCode: 1, out: "done\nError: a failure\n" });
  });
});
