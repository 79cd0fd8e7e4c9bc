import { guestPaths } from "../../plan/paths.ts";
import type { QmpCommand } from "../../qemu/monitor/qmp.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { ChangeRequest, DecidedChange } from "./change-guest.ts";

/** Decided setting of a running QEMU, and the guest's record with the new value. */
interface DecidedSetting extends Pick<DecidedChange, "xml" | "actions"> {
  readonly command: QmpCommand;
  /** Sets the former value. */
  readonly before: QmpCommand;
}

/**
 * Returns the change of a setting of a running QEMU, and of the record with it. If svirt is killed in
 * between, or QEMU does not answer, a later call sets the former value. If QEMU refuses, nothing has changed.
 */
export function settingChange(
  instance: Instance,
  { decide, what }: { readonly what: string; decide(guest: GuestRecord): DecidedSetting },
): ChangeRequest {
  return {
    what,
    decide(guest) {
      const { before, command, ...record } = decide(guest);
      const { monitor } = guestPaths(instance.paths, guest.uuid);
      return { ...record, steps: [{ do: "change-setting", monitor, command, before }], after: [] };
    },
  };
}
