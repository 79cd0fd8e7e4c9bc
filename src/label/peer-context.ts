import { formatContext, parseContext } from "../selinux/context.ts";

// Rule: A connection to another program has the guest's level and a type of its own.

/** Type of image/policy/svirt-guest.cil. It may open connections forbidden to guests. */
const PEER_TYPE = "svirt_peer_t";

/**
 * Returns the context of a connection that svirt opens for a guest: the guest's context with a different
 * type. The connection has the guest's level. The kernel checks whether this type, not the guest's, may
 * connect to the other program's domain.
 */
export function peerContext(guest: string): string {
  return formatContext({ ...parseContext(guest), type: PEER_TYPE });
}
