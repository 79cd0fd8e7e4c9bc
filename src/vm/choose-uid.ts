import { SvirtError } from "../errors.ts";
import { type Node, registryOf } from "./node.ts";

/**
 * Users that nobody else hands out: systemd leaves 0x70000000 to 0x77ffffff free (https://systemd.io/UIDS-GIDS/). Each
 * guest gets one of its own, so that guests are kept apart by ownership too, whatever SELinux does.
 */
const FIRST_UID = 0x70000000;
const UIDS = 0x04000000;
const MOST_TRIES = 1000;

/**
 * The guest's user: preferred is what its UUID gives, the same at every start. The caller holds the registry's lock.
 * Throws "label-taken" when a thousand in a row are taken.
 */
export function chooseUid(node: Node, uuid: string): number {
  const registry = registryOf(node);
  const start = Number.parseInt(uuid.replaceAll("-", "").slice(-8), 16) % UIDS;
  for (let tried = 0; tried < MOST_TRIES; tried += 1) {
    const uid = FIRST_UID + ((start + tried) % UIDS);
    if (!registry.isTaken("uid", String(uid)) && node.host.listProcesses(uid).length === 0) return uid;
  }
  throw new SvirtError(
    `Cannot choose a user for the guest: ${MOST_TRIES} from ${FIRST_UID + start} on are taken`,
    {
      kind: "label-taken",
      remedy: "Stop guests, or give this one another UUID.",
    },
  );
}
