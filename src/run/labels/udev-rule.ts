import type { Host } from "../../host/host.ts";
import { formatUdevRule, UDEV_RULES } from "../../plan/actions/udev-rule.ts";
import type { StepOf } from "../../plan/steps/step.ts";

const FOLDER_MODE = 0o755;
const RULE_MODE = 0o644;

/**
 * Writes a udev rule. udevd detects it by itself, at most three seconds after its last check. systemd
 * src/udev/udev-manager.c
 */
export function writeUdevRule(host: Host, step: StepOf<"write-udev-rule">): void {
  if (host.inspectFile(UDEV_RULES) === undefined) host.makeFolder({ path: UDEV_RULES, mode: FOLDER_MODE });
  host.writeText(step.path, formatUdevRule(step), RULE_MODE);
}

/** Removes a udev rule, and the partial file that a killed svirt may have left. */
export function removeUdevRule(host: Host, { path }: StepOf<"remove-udev-rule">): void {
  host.removeFile(path);
  host.removeFile(`${path}.new`);
}
