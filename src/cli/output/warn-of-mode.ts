import type { GuestRecord } from "../../state/record.ts";
import { describePermissiveMode } from "../../vm/query/selinux-mode.ts";
import type { Call } from "../command.ts";

/** Warns if SELinux is permissive, for a command about all guests. */
export function warnOfPermissive(call: Call): void {
  const mode = describePermissiveMode(call.instance);
  if (mode !== undefined) call.output.warn(`warning: SELinux is ${mode}\n`);
}

/** Warns if a guest is not confined, or SELinux is permissive. */
export function warnOfMode(call: Call, guest: GuestRecord): void {
  if (guest.label.label === undefined) {
    call.output.warn(
      `warning: domain '${guest.name}' runs without confinement, as its XML and the settings say\n`,
    );
  } else if (!guest.enforcing) {
    call.output.warn(
      `warning: SELinux is permissive: domain '${guest.name}' is labelled, but nothing is enforced\n`,
    );
  }
}
