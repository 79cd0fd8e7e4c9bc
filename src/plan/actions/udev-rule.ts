import type { FileId } from "../facts/file.ts";
import type { Step } from "../steps/step.ts";

/** Where udevd looks for rules that end with the boot; it looks by itself whether they have changed. udev(7) */
export const UDEV_RULES = "/run/udev/rules.d";

/** Whose device node it is, and of what kind: what a rule's name is made of. */
export interface NodeHolder {
  readonly uuid: string;
  readonly type: "block" | "character";
  readonly file: FileId;
}

/** A rule for each node and guest, so that each comes and goes by itself. After all others: the last label counts. */
export function udevRulePath({ file, type, uuid }: NodeHolder): string {
  return `${UDEV_RULES}/99-svirt-${uuid}-${type}-${(file.node ?? "").replace(":", "-")}.rules`;
}

/** The guest whose rule a file of that name is; undefined for a rule of somebody else's. */
export function guestOfRule(name: string): string | undefined {
  return /^99-svirt-([0-9a-f-]{36})-(?:block|character)-\d+-\d+\.rules$/.exec(name)?.[1];
}

/**
 * By number, not by name: a name may pass to another device. SECLABEL is applied when the device is added or triggered
 * anew, or its owner or mode change, where udevd would else set the policy's default. systemd src/udev/udev-node.c
 */
export function formatUdevRule({ file, label, type }: Extract<Step, { do: "write-udev-rule" }>): string {
  const [major, minor] = (file.node ?? "").split(":");
  const subsystem = type === "block" ? 'SUBSYSTEM=="block"' : 'SUBSYSTEM!="block"';
  return [
    "# Written by svirt, and removed when the guest gives the device back.",
    `${subsystem}, ENV{MAJOR}=="${major}", ENV{MINOR}=="${minor}", SECLABEL{selinux}="${label}"`,
    "",
  ].join("\n");
}
