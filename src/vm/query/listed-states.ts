import type { DomainState } from "../../qemu/monitor/status.ts";
import { lookAtVcpus } from "../../run/process/vcpu-activity.ts";
import type { Node } from "../../state/instance.ts";
import type { RunningGuest } from "../../state/running-guests.ts";

/** Time for the QEMUs that are asked, all at once. */
const ASK_MS = 1000;

/** State of a guest, and whether its QEMU has answered the query for it. */
export interface ListedState {
  readonly state: DomainState["state"];
  readonly monitor: "not asked" | "answers" | "no answer" | "busy";
}

/**
 * Returns the states of running guests. The kernel shows that a guest runs; only the QEMUs of the others are asked, so that a
 * list takes no time for QEMUs (docs/decisions/monitor.md).
 */
export async function listStates(node: Node, guests: readonly RunningGuest[]): Promise<ListedState[]> {
  const states: (ListedState | Promise<ListedState>)[] = [];
  for (const guest of guests) {
    const activity = guest.process === undefined ? "unknown" : lookAtVcpus(node.host, guest.process.pid);
    states.push(activity === "active" ? ACTIVE : askState(node, guest, activity));
  }
  return await Promise.all(states);
}

const ACTIVE: ListedState = { state: "running", monitor: "not asked" };

async function askState(
  node: Node,
  guest: RunningGuest,
  activity: "halted" | "unknown",
): Promise<ListedState> {
  const { getGuestState, silenceOf, silentState } = await import("./guest-state.ts");
  const is =
    activity === "halted"
      ? silentState(node, guest)
      : await getGuestState(node, { uuid: guest.uuid }, ASK_MS);
  return { state: is.state, monitor: silenceOf(is) ?? "answers" };
}
