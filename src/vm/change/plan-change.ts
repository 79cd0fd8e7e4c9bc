import type { Step } from "../../plan/steps/step.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestChange } from "../../state/record.ts";
import { planEnd } from "../end/end-guest.ts";
import { findRunning } from "../guest/find-domain.ts";
import { refuseHungDevices } from "../node-device/detach-from-host.ts";
import type { ChangeQuery, ChangeRequest } from "./change-guest.ts";

/**
 * Returns the steps of a change of a running guest, and changes nothing. If the change ends the guest, the
 * steps of the end follow. Throws "not-found", "wrong-state", its refusals.
 */
export async function planGuestChange(
  instance: Instance,
  key: string,
  asked: ChangeRequest | ChangeQuery,
): Promise<readonly Step[]> {
  const { guest } = findRunning(instance, key);
  const request = "look" in asked ? await asked.look(guest) : asked;
  await refuseSilentPaths(instance.host, request.paths?.(guest) ?? []);
  const domain = request.passed?.(guest);
  if (domain !== undefined) await refuseHungDevices(instance, domain);
  const made = request.make?.(guest) ?? [];
  const { after, ends, ...decided } = request.decide(guest);
  const steps = [...made, ...decided.steps];
  if (ends === undefined) return [...steps, ...after];
  const change: GuestChange = {
    what: request.what,
    stage: "finishing",
    steps,
    after: [...after],
    xml: decided.xml,
  };
  return [...steps, ...planEnd({ ...guest, change })];
}
