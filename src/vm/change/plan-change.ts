import type { Step } from "../../plan/steps/step.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestChange, GuestRecord } from "../../state/record.ts";
import { planEnd } from "../end/end-guest.ts";
import { findRunning } from "../guest/find-domain.ts";
import { refuseHungDevices } from "../node-device/detach-from-host.ts";
import type { ChangeQuery, ChangeRequest, DecidedChange } from "./change-guest.ts";

/**
 * Returns the steps of a change of a running guest, and changes nothing. If the change ends the guest, the
 * steps of the end follow. Throws "not-found", "wrong-state", its refusals.
 */
export async function planGuestChange(
  instance: Instance,
  key: string,
  asked: ChangeRequest | ChangeQuery,
): Promise<readonly Step[]> {
  const { decided, guest, what } = await decideOnly(instance, key, asked);
  const { after, ends, steps, xml } = decided;
  if (ends === undefined) return [...steps, ...after];
  const change: GuestChange = { what, stage: "finishing", steps: [...steps], after: [...after], xml };
  return [...steps, ...planEnd({ ...guest, change })];
}

/**
 * Decides a change of a running guest, whose steps then include those for its new images, and changes
 * nothing. Throws "not-found", "wrong-state", its refusals.
 */
export async function decideOnly(
  instance: Instance,
  key: string,
  asked: ChangeRequest | ChangeQuery,
): Promise<{ readonly guest: GuestRecord; readonly what: string; readonly decided: DecidedChange }> {
  const { guest } = findRunning(instance, key);
  const request = "look" in asked ? await asked.look(guest) : asked;
  await refuseSilentPaths(instance.host, request.paths?.(guest) ?? []);
  const domain = request.passed?.(guest);
  if (domain !== undefined) await refuseHungDevices(instance, domain);
  const made = request.make?.(guest) ?? [];
  const decided = request.decide(guest);
  return { guest, what: request.what, decided: { ...decided, steps: [...made, ...decided.steps] } };
}
