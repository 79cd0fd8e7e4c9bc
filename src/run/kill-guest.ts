import { SvirtError } from "../errors.ts";
import type { Host, ProcessFacts } from "../host.ts";

const POLL_MS = 10;
const KILL_TIMEOUT_MS = 15_000;
/** The names under which the reaper, or the process that it is about to turn into QEMU, is found by its words. */
const REAPER_WORDS = ["svirt-reaper", "--reuid"];

/** Which guest: its UUID stands in the reaper's words, and its user is nobody else's. */
export interface GuestIdentity {
  readonly uuid: string;
  readonly uid: number;
}

/** The processes that run as the guest: QEMU. Found by user, so that none is missed whatever the record knows. */
export function listGuestProcesses(host: Host, guest: GuestIdentity): ProcessFacts[] {
  return [...host.listProcesses(guest.uid)];
}

/**
 * Ends the guest and waits until it is gone: SIGTERM, after the grace SIGKILL. Its reaper ends by itself, once it has
 * written how the guest ended; one that has not yet become QEMU's parent, or was stopped, is killed with the rest.
 * Throws "timeout" when the kernel does not let go of it.
 */
export async function killGuest(host: Host, guest: GuestIdentity, graceMs: number): Promise<void> {
  const started = host.nowMs();
  const asked = new Set<number>();
  for (;;) {
    const waitedMs = host.nowMs() - started;
    const guests = listGuestProcesses(host, guest);
    const reapers = listReapers(host, guest);
    if (guests.length === 0 && reapers.length === 0) return;
    if (waitedMs > graceMs + KILL_TIMEOUT_MS) throw stuck(guest, [...guests, ...reapers]);
    if (waitedMs > graceMs) {
      for (const process of [...guests, ...reapers]) host.signalProcess(process, "SIGKILL");
    } else {
      askToEnd(host, guests, asked);
    }
    await host.sleep(POLL_MS);
  }
}

/** Once each: QEMU takes a second SIGTERM for impatience. */
function askToEnd(host: Host, guests: readonly ProcessFacts[], asked: Set<number>): void {
  for (const process of guests) {
    if (!asked.has(process.pid)) host.signalProcess(process, "SIGTERM");
    asked.add(process.pid);
  }
}

function listReapers(host: Host, guest: GuestIdentity): ProcessFacts[] {
  return host.listProcesses(host.getUid()).filter((process) => {
    const words = host.getCommandLine(process.pid);
    return words.includes(guest.uuid) && REAPER_WORDS.some((word) => words.includes(word));
  });
}

function stuck(guest: GuestIdentity, left: readonly ProcessFacts[]): SvirtError {
  const pids = left.map((process) => process.pid).join(", ");
  return new SvirtError(`Cannot end guest ${guest.uuid}: the kernel does not let go of process ${pids}`, {
    kind: "timeout",
    remedy: "See /proc/PID/stack: it waits for a device. Mend that, then run: svirt recover",
  });
}
