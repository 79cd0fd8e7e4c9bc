import { expect, test } from "bun:test";
import { closeSync, constants, openSync } from "node:fs";
import { readKernelLog } from "../../../../src/host/linux/system/kernel-log.ts";

function mayRead(): boolean {
  try {
    closeSync(openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

const needsLog = mayRead() ? "" : " (here: /dev/kmsg is not readable)";

test(`readKernelLog() ends at the last record, and gives nothing where it may not read${needsLog}`, () => {
  const lines = readKernelLog();
  expect(lines === undefined).toBe(!mayRead());
  // Documentation/ABI/testing/dev-kmsg: priority, sequence number, microseconds, flags.
  for (const line of lines ?? []) expect(line).toMatch(/^\d+,\d+,\d+,[^;]*;/);
});
