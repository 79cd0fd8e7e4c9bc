import { SvirtError } from "../errors.ts";
import { guestUser } from "../plan/facts/guest-user.ts";
import { isSession, type Node, registryOf } from "./instance.ts";

const MOST_TRIES = 1000;

/**
 * The guest's user: preferred is what its UUID gives, the same at every start. In a session it is whoever calls: the
 * kernel lets nobody but root become somebody else. The caller holds the registry's lock. Throws "label-taken" when a
 * thousand in a row are taken.
 */
export function chooseUid(node: Node, uuid: string): number {
  if (isSession(node)) return node.host.getUid();
  const registry = registryOf(node);
  for (let tried = 0; tried < MOST_TRIES; tried += 1) {
    const uid = guestUser(uuid, tried);
    if (!registry.isTaken("uid", String(uid)) && node.host.listProcesses(uid).length === 0) return uid;
  }
  throw new SvirtError(
    `Cannot choose a user for the guest: ${MOST_TRIES} from ${guestUser(uuid, 0)} on are taken`,
    {
      kind: "label-taken",
      remedy: "Stop guests, or give this one another UUID.",
    },
  );
}
