import type { Step } from "../../plan/steps/step.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { refuseHungDevices } from "../node-device/detach-from-host.ts";
import type { ChangeQuery, ChangeRequest } from "./change-guest.ts";

/**
 * Returns the steps of a change of a running guest, and changes nothing. Throws "not-found", "wrong-state",
 * its refusals.
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
  const { after, steps } = request.decide(guest);
  return [...made, ...steps, ...after];
}
