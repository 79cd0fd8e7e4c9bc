import type { Domain } from "../../domain/domain.ts";
import type { ChangeSteps } from "../../plan/change/change-steps.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { UnplugError } from "../../run/steps/device.ts";
import { NO_OBSERVER } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import type { GuestChange, GuestRecord } from "../../state/record.ts";
import { findRunning } from "../guest/find-domain.ts";
import { type Audience, begin, carryOut, recoverChange } from "./change-idle-guest.ts";
import { devicesOf } from "./finish-change.ts";

/** Decided change of a running guest. */
export interface DecidedChange extends ChangeSteps {
  /** The guest's XML after the change. */
  readonly xml: string;
  /** Jobs of QEMU for the guest after the change; undefined: as before. */
  readonly jobs?: readonly BlockJob[];
  /** Whether the definition's disks follow the guest's. */
  readonly isForDefinition?: true;
  /** Result if QEMU ends the job in an unexpected way. */
  readonly otherwise?: NonNullable<GuestChange["otherwise"]>;
  /** Controllers kept by the guest if the change is undone. */
  readonly behind?: NonNullable<GuestChange["behind"]>;
  /** Actions after an end of the guest by itself; undefined: as before. */
  readonly actions?: NonNullable<GuestChange["actions"]>;
  /** The change ends the guest, for this reason. */
  readonly ends?: NonNullable<GuestChange["ends"]>;
}

/** Change requested by a command. */
export interface ChangeRequest {
  /** Readable description: `attach vdb`. */
  readonly what: string;
  /** Succeeds once the guest was asked to release the device, which it may keep. */
  readonly isRequestEnough?: true;
  /** Paths that the decision inspects. Their servers are asked before, without the registry's lock. */
  paths?(guest: GuestRecord): readonly string[];
  /** Steps for new images, done before the rest is decided, since their result matters. */
  make?(guest: GuestRecord): readonly StepOf<"make-image">[];
  /** Makes the headers of LUKS for these images, by their paths, without the registry's lock. */
  headers?(guest: GuestRecord): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Likewise, the guest's devices of the host. Managed devices are detached from their drivers. */
  passed?(guest: GuestRecord): Domain | undefined;
  /** Decides from the guest's current record, under the registry's lock. */
  decide(guest: GuestRecord): DecidedChange;
}

/**
 * Change that depends on QEMU's state. QEMU may answer slowly, so it is queried without the registry's lock.
 */
export interface ChangeQuery {
  readonly what: string;
  look(guest: GuestRecord): Promise<ChangeRequest>;
}

/**
 * Changes a running guest: decides the change, records it and carries it out. A failed change is undone
 * before this throws. A change made by QEMU and still unfinished stays in the record for a later call. Throws
 * the errors of the decision and the host.
 */
export async function changeGuest(
  instance: Instance,
  uuid: string,
  options: Partial<Audience> & { readonly request: ChangeRequest | ChangeQuery },
): Promise<void> {
  const { request, observer = NO_OBSERVER, ...told } = options;
  const audience = { observer, ...told };
  await withGuestLock(instance, uuid, async () => {
    const guest = await readSettled(instance, uuid);
    const decided = "look" in request ? await request.look(guest) : request;
    const begun = await begin(instance, guest, { request: decided, audience });
    try {
      await carryOut(instance, begun, audience);
    } catch (error) {
      if (decided.isRequestEnough !== true || !isKept(error, begun.guest.change)) throw error;
    }
  });
}

/** Reports whether an error says that the guest keeps a device of this change. */
function isKept(error: unknown, change: GuestChange): boolean {
  return error instanceof UnplugError && error.outcome === "kept" && devicesOf(change).includes(error.device);
}

/**
 * Finishes or undoes a change of the guest left unfinished by an earlier call. Then detaches the devices
 * requested from and released by the guest. Returns the guest's record, without a change in progress. The
 * caller holds the guest's lock. Throws "not-found", "wrong-state", the errors of the monitor and of the
 * steps.
 */
export async function readSettled(instance: Instance, uuid: string): Promise<GuestRecord> {
  await recoverChange(instance, findRunning(instance, uuid).guest);
  const { guest } = findRunning(instance, uuid);
  if (guest.asked === undefined) return guest;
  // Imported only for such a device, which is rare.
  const { detachReleased } = await import("./detach-released.ts");
  await detachReleased(instance, uuid);
  return findRunning(instance, uuid).guest;
}
