import { closeSync, constants, openSync, readSync } from "node:fs";

const KERNEL_LOG = "/dev/kmsg";
/**
 * Larger than any record: a shorter read fails with EINVAL. linux kernel/printk/printk.c PRINTKRB_RECORD_MAX
 */
const RECORD_BYTES = 16_384;

/**
 * Implements Host.readKernelLog: reads record by record until none is left.
 * Documentation/ABI/testing/dev-kmsg
 */
export function readKernelLog(): readonly string[] | undefined {
  let fd: number;
  try {
    fd = openSync(KERNEL_LOG, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    return [...readRecords(fd)];
  } finally {
    closeSync(fd);
  }
}

function* readRecords(fd: number): Generator<string> {
  const bytes = Buffer.alloc(RECORD_BYTES);
  for (;;) {
    try {
      const count = readSync(fd, bytes);
      if (count === 0) return;
      // Lines after the first contain facts of drivers.
      yield bytes.toString("utf8", 0, count).split("\n", 1)[0] ?? "";
    } catch (error) {
      // Records overwritten before the read are lost; the next read continues with the remaining records.
      if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) return;
    }
  }
}
