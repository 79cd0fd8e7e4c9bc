import type { Monitor } from "../../host/monitor.ts";
import { guestPaths } from "../../plan/paths.ts";
import { type DomainState, decideState } from "../../qemu/monitor/status.ts";
import { withMonitorSocket } from "../../run/monitor/converse.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";

/** A monitor answers immediately, unless another svirt uses it. */
const ASK_TIMEOUT_MS = 2000;

/** Reason why only a guest's process is known: QEMU does not answer, or talks to another svirt. */
export type Silence = "no answer" | "busy";

/** Fields of a record for a state's reason. */
type AskedGuest = Pick<GuestRecord, "uuid" | "restored" | "unpaused"> &
  Partial<Pick<GuestRecord, "state" | "told">>;

/**
 * Queries a running guest's state. If the query fails or takes longer than `timeoutMs`, the state is
 * "running", since the guest's process exists, and the reason is a Silence.
 */
export async function getGuestState(
  instance: Instance,
  guest: AskedGuest,
  timeoutMs = ASK_TIMEOUT_MS,
): Promise<DomainState> {
  const { monitor: path } = guestPaths(instance.paths, guest.uuid);
  try {
    return await withMonitorSocket(instance.host, { monitor: path, timeoutMs }, (monitor) =>
      askState(guest, monitor),
    );
  } catch {
    return silentState(instance, guest);
  }
}

/** State of a running guest, and the memory left by its balloon. */
export interface AskedMemory extends DomainState {
  /** Undefined for a guest without a balloon, or with a silent QEMU. */
  readonly usedMemoryKiB: number | undefined;
}

/** Queries a running guest's state, as getGuestState() does, and its balloon in the same conversation. */
export async function getGuestMemory(instance: Instance, guest: AskedGuest): Promise<AskedMemory> {
  const { monitor: path } = guestPaths(instance.paths, guest.uuid);
  const ask = async (monitor: Monitor): Promise<AskedMemory> => ({
    ...(await askState(guest, monitor)),
    usedMemoryKiB: await askBalloon(monitor),
  });
  try {
    return await withMonitorSocket(instance.host, { monitor: path, timeoutMs: ASK_TIMEOUT_MS }, ask);
  } catch {
    return { ...silentState(instance, guest), usedMemoryKiB: undefined };
  }
}

/** Returns undefined if QEMU answers with an error: the guest has no balloon. */
async function askBalloon(monitor: Monitor): Promise<number | undefined> {
  // Loaded here: most callers query only the state.
  const { parseBalloonKiB } = await import("../../qemu/monitor/statistics.ts");
  try {
    return parseBalloonKiB(await monitor.execute("query-balloon"));
  } catch {
    return undefined;
  }
}

/** Returns the state of a guest whose QEMU does not answer: its process exists. */
export function silentState({ host, paths }: Instance, { uuid }: Pick<GuestRecord, "uuid">): DomainState {
  return { state: "running", reason: host.isLocked(guestPaths(paths, uuid).lock) ? "busy" : "no answer" };
}

/** Returns undefined for a guest with an answering QEMU. */
export function silenceOf({ reason }: DomainState): Silence | undefined {
  return reason === "no answer" || reason === "busy" ? reason : undefined;
}

/** Queries the state over an already open monitor: QEMU accepts a single connection at a time. */
export async function askState(guest: AskedGuest, monitor: Monitor): Promise<DomainState> {
  const answer = await monitor.execute("query-status");
  const asked =
    typeof answer === "object" && answer !== null && "status" in answer ? String(answer.status) : undefined;
  if (asked === undefined) return { state: "running", reason: "unknown" };
  // QEMU has this state until vCPUs run for the first time, and after a reset while they are stopped.
  if (asked === "prelaunch" && guest.state === "running" && guest.told?.to === "pause")
    return { state: "paused", reason: "user" };
  // qemuProcessStart() of libvirt leaves a guest with the state of a file so, until svirt or QEMU pauses it
  // again.
  if (asked === "paused" && guest.restored === true && guest.told?.to === "pause" && guest.told.times === 0)
    return { state: "paused", reason: "migrating" };
  if (asked !== "running") return decideState(asked);
  if (guest.unpaused === true) return { state: "running", reason: "unpaused" };
  return { state: "running", reason: guest.restored === true ? "restored" : "booted" };
}
