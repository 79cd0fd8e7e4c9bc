import { expect, test } from "bun:test";
import { isMonitorStep } from "../../../src/plan/steps/inverse.ts";
import type { Step } from "../../../src/plan/steps/step.ts";

// Steps whose effect ends with QEMU. All others leave something behind when QEMU has ended.
const TOLD: readonly Step["do"][] = [
  ...([
    "plug",
    "unplug",
    "set-medium",
    "set-link",
    "change-setting",
    "set-memlock",
    "set-access",
    "pass-tap",
    "close-tap",
  ] as const),
  ...(["start-job", "cancel-job", "adopt-chain", "resume", "tune-threads", "set-limits"] as const),
];
const LEFT: readonly Step["do"][] = [
  ...([
    "reserve",
    "release",
    "make-folder",
    "remove-folder",
    "set-label",
    "restore-label",
    "spawn",
    "kill",
  ] as const),
  ...([
    "make-image",
    "change-label",
    "make-group",
    "remove-group",
    "set-up-tap",
    "bind-vfio",
    "grant",
  ] as const),
];

test.each([...TOLD.map((name) => [name, true] as const), ...LEFT.map((name) => [name, false] as const)])(
  "isMonitorStep() of %s is %p",
  (name, isMonitor) => {
    expect(isMonitorStep({ do: name } as Step)).toBe(isMonitor);
  },
);
