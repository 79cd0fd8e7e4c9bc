import { SvirtError } from "../errors.ts";
import { guestUser } from "../plan/facts/guest-user.ts";
import { type Instance, isSession, registryOf } from "./instance.ts";

// Rule: The user of a guest comes from its UUID, and is unique on the host.

const MOST_TRIES = 1000;

/**
 * Returns the guest's user: its UUID gives the preferred user, the same at every start. In a session it is
 * the calling user, because the kernel lets only root change to another user. The caller holds the registry
 * lock. Throws "in-use" if a thousand users in a row are in use.
 */
export function chooseUid(instance: Instance, uuid: string): number {
  if (isSession(instance)) return instance.host.getUid();
  const registry = registryOf(instance);
  for (let tried = 0; tried < MOST_TRIES; tried += 1) {
    const uid = guestUser(uuid, tried);
    if (!registry.isTaken("uid", String(uid)) && instance.host.listProcesses(uid).length === 0) return uid;
  }
  throw new SvirtError(
    `Cannot choose a user for the guest: ${MOST_TRIES} users from ${guestUser(uuid, 0)} on are in use`,
    {
      kind: "in-use",
      remedy: "Stop some guests, or give this one another UUID.",
    },
  );
}
