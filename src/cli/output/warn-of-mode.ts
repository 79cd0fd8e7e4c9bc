import { describePermissive } from "../../report/permissive.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { Call } from "../command.ts";

/** The same for a command that tells of all guests: says so when the node holds none of them back. */
export function warnOfPermissive(call: Call): void {
  if (call.node.host.getSelinux().mode !== "permissive") return;
  call.output.warn(`warning: SELinux is ${describePermissive(call.node.host)}\n`);
}

/** Never pretend: says so when a guest runs that nothing holds back. */
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
