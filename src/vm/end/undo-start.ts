import { asSvirtError, SvirtError, unlessRefused } from "../../errors.ts";
import { readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, readRecord } from "../../state/record.ts";
import { writeReason } from "../../state/shutoff-reason.ts";
import { endGuest } from "./end-guest.ts";

// Rule: A failed start is undone; errors of undoing join the first error.

/**
 * Undoes a start that has failed before its launch, unless it left no record, or a step of it has tried to
 * undo it.
 */
export async function undoBegun(instance: Instance, uuid: string, first: unknown): Promise<void> {
  const begun = readRecord(instance, uuid);
  if (begun?.state === "starting") await undoStart(instance, begun, first);
}

/** Undoes a failed start. An error while undoing joins the first error and does not hide it. */
export async function undoStart(instance: Instance, guest: GuestRecord, first: unknown): Promise<void> {
  try {
    await endGuest(instance, guest, { reason: "failed" });
  } catch (error) {
    const { kind, message, remedy } = asSvirtError(first);
    const both = `${message}; undoing the start failed as well: ${asSvirtError(error).message}`;
    throw new SvirtError(both, { kind, remedy, cause: error });
  }
}

/**
 * Does a part of a start. If it fails, stores that as the reason why a defined domain is off.
 * qemuProcessStart() of libvirt: VIR_DOMAIN_SHUTOFF_FAILED
 */
export async function notingFailure<Result>(
  instance: Instance,
  domain: Pick<GuestRecord, "name" | "uuid">,
  part: () => Promise<Result>,
): Promise<Result> {
  try {
    return await part();
  } catch (error) {
    // A damaged record is not to hide this error.
    unlessRefused(() => noteFailed(instance, domain));
    throw error;
  }
}

function noteFailed(instance: Instance, { name, uuid }: Pick<GuestRecord, "name" | "uuid">): void {
  if (readRecord(instance, uuid) !== undefined) return;
  const definition = unlessRefused(() => readDefinition(instance, name));
  if (definition?.uuid === uuid) writeReason(instance, uuid, "failed");
}
