import type { Host } from "../../host/host.ts";
import { formatUdevRule, UDEV_RULES } from "../../plan/actions/udev-rule.ts";
import type { Step } from "../../plan/steps/step.ts";

const FOLDER_MODE = 0o755;
const RULE_MODE = 0o644;

/** udevd finds it by itself, at the latest three seconds after it last looked. systemd src/udev/udev-manager.c */
export function writeUdevRule(host: Host, step: Extract<Step, { do: "write-udev-rule" }>): void {
  if (host.inspectFile(UDEV_RULES) === undefined) host.makeFolder({ path: UDEV_RULES, mode: FOLDER_MODE });
  host.writeText(step.path, formatUdevRule(step), RULE_MODE);
}

/** With what a svirt that was killed while it wrote may have left. */
export function removeUdevRule(host: Host, { path }: Extract<Step, { do: "remove-udev-rule" }>): void {
  host.removeFile(path);
  host.removeFile(`${path}.new`);
}
