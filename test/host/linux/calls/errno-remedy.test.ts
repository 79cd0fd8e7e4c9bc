import { expect, test } from "bun:test";
import { asSvirtError, SvirtError } from "../../../../src/errors.ts";
import { hostCallError } from "../../../../src/host/linux/calls/libc.ts";
import { writeText } from "../../../../src/host/linux/files/durable-write.ts";
import { readText } from "../../../../src/host/linux/files/files.ts";
import { inputCalls } from "../../../../src/host/linux/terminal/read-input.ts";

function remedyOf(call: () => unknown): string {
  try {
    call();
  } catch (thrown) {
    return thrown instanceof SvirtError ? thrown.remedy : String(thrown);
  }
  throw new Error("it did not fail");
}

test("a call of the kernel's that fails comes with what to do about it", () => {
  expect(remedyOf(() => inputCalls.readInput("/", 10))).toBe("Name a file, not a folder.");
  expect(remedyOf(() => inputCalls.readInput("/nosuch", 10))).toStartWith("Correct the path");
  expect(remedyOf(() => writeText("/nosuch/file", "", 0o600))).toBe("Correct the path.");
  expect(remedyOf(() => writeText("/dev/full/file", "", 0o600))).toBe("Correct the path.");
  expect(remedyOf(() => readText(`/${"a".repeat(300)}`))).toBe("Correct the path.");
  // ENOSPC, EACCES, and an error without a special remedy. asm-generic/errno-base.h
  expect(hostCallError("write", 28).remedy).toBe("Free space on that file system.");
  expect(hostCallError("write", 13)).toMatchObject({
    exitCode: 5,
    remedy: expect.stringContaining("svirt explain"),
  });
  expect(hostCallError("write", 28).exitCode).toBe(1);
  expect(hostCallError("write", 5).remedy).toContain("dmesg");
});

test("what is thrown and is none of svirt's errors is called a fault of svirt's", () => {
  expect(asSvirtError(new TypeError("undefined is not a function"))).toMatchObject({
    exitCode: 1,
    message: "undefined is not a function",
    remedy: expect.stringContaining("Report this fault in svirt"),
  });
});
