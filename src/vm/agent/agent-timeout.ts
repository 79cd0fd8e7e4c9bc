import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { type GuestRecord, writeRecord } from "../../state/record.ts";
import { findRunning } from "../guest/find-domain.ts";

// Rule: An agent has 5 s for its answer, unless another limit is set.

/** virDomainAgentResponseTimeoutValues of libvirt's libvirt-domain.h */
const [BLOCK, DEFAULT] = [-2, -1];
const MS_PER_SECOND = 1000;

/**
 * Sets how long calls wait for an answer of a running guest's agent, until its end: seconds, -1 for the
 * default, or -2 for no limit. Throws "usage", "not-found", "wrong-state".
 */
export async function setResponseTimeout(instance: Instance, key: string, seconds: number): Promise<void> {
  if (seconds < BLOCK)
    throw new SvirtError(
      `invalid argument: guest agent timeout '${seconds}' is less than the minimum '${BLOCK}'`,
      { kind: "usage", remedy: `Give seconds, ${DEFAULT} for the default, or ${BLOCK} for no limit.` },
    );
  const { uuid } = findRunning(instance, key);
  await withGuestLock(instance, uuid, async () => {
    const { agentTimeout: _, ...guest } = findRunning(instance, uuid).guest;
    writeRecord(instance, seconds === DEFAULT ? guest : { ...guest, agentTimeout: seconds });
  });
}

/** Returns how long calls wait for an answer of a guest's agent; undefined for the default. */
export function responseTimeoutMs({ agentTimeout }: GuestRecord): number | undefined {
  if (agentTimeout === undefined) return undefined;
  return agentTimeout === BLOCK ? Number.POSITIVE_INFINITY : agentTimeout * MS_PER_SECOND;
}

/** VIR_DOMAIN_QEMU_AGENT_COMMAND_DEFAULT of libvirt. */
export const DEFAULT_TIMEOUT_MS = 5000;
