import type { DomainState } from "../../qemu/monitor/status.ts";
import { lookAtVcpus, type VcpuActivity } from "../../run/process/vcpu-activity.ts";
import type { Instance } from "../../state/instance.ts";
import type { RunningGuest } from "../../state/running-guests.ts";

/** Time limit for all queries together: all QEMUs are queried concurrently. */
const ASK_MS = 1000;

/** State of a guest, and whether its QEMU has answered the query for it. */
export interface ListedState {
  readonly state: DomainState["state"];
  readonly monitor: "not asked" | "answers" | "no answer" | "busy";
}

/** A vCPU outside KVM for a moment waits in QEMU like a stopped vCPU. The next inspection finds it active. */
const MOST_LOOKS = 3;

/**
 * Returns the states of running guests. The kernel shows running vCPUs of a guest. Only the QEMUs of other
 * guests are queried: a list usually waits for no QEMU (docs/decisions/monitor.md).
 */
export async function listStates(
  instance: Instance,
  guests: readonly RunningGuest[],
): Promise<ListedState[]> {
  const seen: VcpuActivity[] = guests.map(() => "unknown");
  for (let looks = 0; looks < MOST_LOOKS && seen.includes("unknown"); looks += 1)
    for (const [at, { process }] of guests.entries())
      if (seen[at] === "unknown" && process !== undefined) seen[at] = lookAtVcpus(instance.host, process.pid);
  return await Promise.all(
    guests.map((guest, at) => {
      const activity = seen[at] ?? "unknown";
      return activity === "active" ? ACTIVE : askState(instance, guest, activity);
    }),
  );
}

const ACTIVE: ListedState = { state: "running", monitor: "not asked" };

async function askState(
  instance: Instance,
  guest: RunningGuest,
  activity: "halted" | "unknown",
): Promise<ListedState> {
  const { getGuestState, silenceOf, silentState } = await import("./guest-state.ts");
  const is =
    activity === "halted"
      ? silentState(instance, guest)
      : await getGuestState(instance, { uuid: guest.uuid }, ASK_MS);
  return { state: is.state, monitor: silenceOf(is) ?? "answers" };
}
