import { describe, expect, test } from "bun:test";
import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { parseUevent, watchDevices } from "../../../../src/host/linux/network/watch-devices.ts";

// Documentation/ABI/testing/sysfs-uevent of Linux: a write to a device's file "uevent" has the kernel report
// it.

const DEVICE = "/sys/devices/virtual/net/lo";

/** Says what is missing for messages of this kernel; empty if nothing is. */
function lackOfMessages(): string {
  if (!/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8")))
    return "the host's users";
  try {
    accessSync(`${DEVICE}/uevent`, constants.W_OK);
    return "";
  } catch {
    return "a writable sysfs";
  }
}

const lack = lackOfMessages();

describe.skipIf(lack !== "")(`watchDevices()${lack === "" ? "" : `, which needs ${lack}`}`, () => {
  test("reports a changed device, and nothing more after close()", async () => {
    const watch = watchDevices();
    expect(watch.take()).toBeUndefined();
    writeFileSync(`${DEVICE}/uevent`, "change");
    // The kernel may tell of other devices too.
    const seen: string[] = [];
    while (!seen.includes(DEVICE)) {
      await watch.wait();
      seen.push(...(watch.take() ?? []));
    }
    const waiting = watch.wait();
    watch.close();
    await waiting;
    expect(watch.take()).toBeUndefined();
  });
});

describe("parseUevent()", () => {
  test.each([
    [
      "change@/devices/virtual/net/lo\0ACTION=change\0",
      { action: "change", path: "/sys/devices/virtual/net/lo" },
    ],
    // udevd's own messages begin so. UDEV_MONITOR_MAGIC of systemd
    ["libudev\0\xfe\xed\xca\xfe", undefined],
    ["add@/devices/without/end", undefined],
    ["", undefined],
    ["ADD@/x\0", undefined],
  ])("%j", (message, expected) => {
    expect(parseUevent(new TextEncoder().encode(message))).toEqual(expected);
  });
});
