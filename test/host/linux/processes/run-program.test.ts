import { describe, expect, test } from "bun:test";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { runProgram } from "../../../../src/host/linux/processes/run-program.ts";

describe("runProgram()", () => {
  test("returns the exit code and the messages, and passes words without a shell", async () => {
    const words = ["/bin/sh", "-c", 'echo "$1" >&2; exit 7', "sh", "$(id); a  b"];
    expect(await runProgram(words, 5000)).toEqual({ code: 7, errors: "$(id); a  b\n" });
  });

  test("gives the program no input and a fixed environment", async () => {
    const words = ["/bin/sh", "-c", 'cat; echo "$HOME $LC_ALL" >&2'];
    expect(await runProgram(words, 5000)).toEqual({ code: 0, errors: " C\n" });
  });

  test("gives the program its input, also as a call of the host", async () => {
    const words = ["/bin/sh", "-c", "cat >&2"];
    for (const run of [runProgram, makeLinuxHost().runProgram])
      expect(await run(words, 5000, "label: gpt\n")).toEqual({ code: 0, errors: "label: gpt\n" });
  });

  test("ends a program that takes too long", async () => {
    const before = performance.now();
    expect(await runProgram(["/bin/sleep", "30"], 200)).toEqual({ fault: "timeout" });
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  test("tells a missing program from one that cannot be run", async () => {
    expect(await runProgram(["/usr/sbin/none-such"], 1000)).toEqual({ fault: "missing" });
    expect(await runProgram(["/etc/passwd"], 1000)).toEqual({ fault: "denied" });
  });
});
