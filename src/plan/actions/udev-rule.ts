import type { FileId } from "../facts/file.ts";
import type { Step } from "../steps/step.ts";

// Rule: A udev rule keeps the label of a device node.

/** Folder of rules that end with the boot. udevd notices changes by itself. udev(7) */
export const UDEV_RULES = "/run/udev/rules.d";

/** Guest and device node of a rule's name. */
export interface NodeHolder {
  readonly uuid: string;
  readonly type: "block" | "character";
  readonly file: FileId;
}

/**
 * Returns the path of a rule. Each node of each guest has its own. Its name sorts after other rules' names,
 * since udevd applies the last label.
 */
export function udevRulePath({ file, type, uuid }: NodeHolder): string {
  return `${UDEV_RULES}/99-svirt-${uuid}-${type}-${(file.node ?? "").replace(":", "-")}.rules`;
}

/** Returns the guest of a rule by its file name; undefined: not a rule of svirt. */
export function guestOfRule(name: string): string | undefined {
  return /^99-svirt-([0-9a-f-]{36})-(?:block|character)-\d+-\d+\.rules$/.exec(name)?.[1];
}

/**
 * Returns a rule that matches a device by number, as its name may pass to another device. udevd applies
 * SECLABEL when the device is added or triggered, or its owner or mode change. Without it, udevd would set
 * the policy's default. systemd src/udev/udev-node.c
 */
export function formatUdevRule({ file, label, type }: Extract<Step, { do: "write-udev-rule" }>): string {
  const [major, minor] = (file.node ?? "").split(":");
  const subsystem = type === "block" ? 'SUBSYSTEM=="block"' : 'SUBSYSTEM!="block"';
  return [
    "# Written by svirt, and removed when the guest releases the device.",
    `${subsystem}, ENV{MAJOR}=="${major}", ENV{MINOR}=="${minor}", SECLABEL{selinux}="${label}"`,
    "",
  ].join("\n");
}
