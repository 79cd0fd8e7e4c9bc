import { guestPaths } from "../../plan/paths.ts";
import type { QmpCommand } from "../../qemu/monitor/qmp.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { type GuestChange, type GuestRecord, writeRecord } from "../../state/record.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { readSettled } from "./change-guest.ts";
import { isRefused } from "./finish-change.ts";

/** Decided setting of a running QEMU. */
interface DecidedSetting {
  readonly command: QmpCommand;
  /** Sets the former value. */
  readonly before: QmpCommand;
  /** Fields of the record with the new value. */
  readonly fields: Pick<GuestRecord, "xml"> & Partial<Pick<GuestRecord, "onPoweroff" | "onCrash">>;
}

/**
 * Changes a setting of a running QEMU, and the record with it. If svirt is killed in between, or QEMU does
 * not answer, a later call sets the former value. If QEMU refuses, nothing has changed. Throws the errors of
 * the decision and the monitor, and as readSettled().
 */
export async function changeSetting(
  instance: Instance,
  uuid: string,
  how: { readonly what: string; decide(guest: GuestRecord): DecidedSetting },
): Promise<void> {
  await withGuestLock(instance, uuid, async () => {
    // The end of an unfinished change would restore the XML before this.
    const guest = await readSettled(instance, uuid);
    const { before, command, fields } = how.decide(guest);
    const { monitor } = guestPaths(instance.paths, uuid);
    const change: GuestChange = {
      what: how.what,
      stage: "doing",
      steps: [{ do: "change-setting", monitor, command, before }],
      after: [],
      xml: guest.xml,
    };
    writeRecord(instance, { ...guest, change });
    try {
      await withMonitor(instance, uuid, (qemu) => qemu.execute(command.execute, command.arguments));
    } catch (error) {
      if (isRefused(error)) writeRecord(instance, guest);
      throw error;
    }
    writeRecord(instance, { ...guest, ...fields });
  });
}
