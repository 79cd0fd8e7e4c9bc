import { closeSync, constants, openSync, readSync } from "node:fs";

const KERNEL_LOG = "/dev/kmsg";
/** More than a record takes: a shorter read fails with EINVAL. linux kernel/printk/printk.c PRINTKRB_RECORD_MAX */
const RECORD_BYTES = 16_384;

/** Host.readKernelLog: one record a read, until there is none left. Documentation/ABI/testing/dev-kmsg */
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
      // Behind the first line break stand facts of drivers.
      yield bytes.toString("utf8", 0, count).split("\n", 1)[0] ?? "";
    } catch (error) {
      // What was written over before it was read is lost, and the next read goes on with what is there.
      if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) return;
    }
  }
}
