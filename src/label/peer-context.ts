import { formatContext, parseContext } from "../selinux/context.ts";

/** Of image/policy/svirt-guest.cil: what it may connect to, no guest may by itself. */
const PEER_TYPE = "svirt_peer_t";

/**
 * The context of a connection that svirt makes for a guest: the guest's own but for its type, so that it is of the guest's
 * level, and so that the kernel asks whether this type may connect to the other program's domain, not the guest's.
 */
export function peerContext(guest: string): string {
  return formatContext({ ...parseContext(guest), type: PEER_TYPE });
}
