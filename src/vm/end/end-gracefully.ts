import { SvirtError } from "../../errors.ts";
import type { ProcessFacts } from "../../host/processes.ts";
import { thaw } from "../../run/process/freeze.ts";
import { listGuestProcesses } from "../../run/process/kill-guest.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, identityOf } from "../../state/record.ts";

// Rule: A graceful end waits 15 s for QEMU, and sends no SIGKILL.

const POLL_MS = 10;
/**
 * 75 times 200 ms, as virProcessKillPainfullyDelay() of libvirt waits without force for a guest that has no
 * devices of the host.
 */
const PATIENCE_MS = 15_000;

/**
 * Asks QEMU to end by SIGTERM: it writes its disks. Waits for its end. Its helpers get no signal: QEMU needs
 * them until then. The caller holds the guest's lock, and has recorded the end as requested. Throws "timeout"
 * with libvirt's message if QEMU does not end: it keeps the signal, and may end later. qemuProcessKill() of
 * libvirt
 */
export async function endGracefully(instance: Instance, guest: GuestRecord): Promise<void> {
  const { host } = instance;
  const untilMs = host.nowMs() + PATIENCE_MS;
  thaw(host, guest.steps);
  let left = listQemu(instance, guest);
  for (const process of left) host.signalProcess(process, "SIGTERM");
  while (left.length > 0 && host.nowMs() < untilMs) {
    await host.sleep(POLL_MS);
    left = listQemu(instance, guest);
  }
  if (left.length === 0) return;
  const pids = left.map(({ pid }) => pid).join(", ");
  throw new SvirtError(`Failed to terminate process ${pids} with SIGTERM: Device or resource busy`, {
    kind: "timeout",
    libvirt: "SYSTEM_ERROR",
    remedy: `Kill the guest, which may lose data that it has not written: svirt destroy ${guest.name}`,
  });
}

/** Lists QEMU's process; all processes of a guest whose interrupted start has not recorded it. */
function listQemu({ host }: Instance, guest: GuestRecord): readonly ProcessFacts[] {
  const { process: qemu } = guest;
  const identity = { ...identityOf(guest), ...(qemu === undefined ? {} : { process: qemu }) };
  return listGuestProcesses(host, identity).filter(
    ({ pid, startTicks }) => qemu === undefined || (pid === qemu.pid && startTicks === qemu.startTicks),
  );
}
