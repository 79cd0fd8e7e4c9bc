import { SvirtError } from "../../errors.ts";
import { thaw } from "../../run/process/freeze.ts";
import { listGuestProcesses } from "../../run/process/kill-guest.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, identityOf, writeEnding } from "../../state/record.ts";

const POLL_MS = 10;
/** As long as qemuProcessKill() of libvirt waits for a guest that has no devices of the host. */
const PATIENCE_MS = 10_000;

/**
 * Asks QEMU to end by SIGTERM, upon which it writes its disks, and waits until it has. The caller holds the guest's lock. Throws "timeout"
 * with libvirt's message if it does not, and the record is again `guest`. qemuProcessKill() of libvirt
 */
export async function endGracefully(instance: Instance, guest: GuestRecord): Promise<void> {
  const { host } = instance;
  const identity = identityOf(guest);
  const untilMs = host.nowMs() + PATIENCE_MS;
  thaw(host, guest.steps);
  let left = listGuestProcesses(host, identity);
  for (const process of left) host.signalProcess(process, "SIGTERM");
  while (left.length > 0 && host.nowMs() < untilMs) {
    await host.sleep(POLL_MS);
    left = listGuestProcesses(host, identity);
  }
  if (left.length === 0) return;
  writeEnding(instance, guest);
  const pids = left.map(({ pid }) => pid).join(", ");
  throw new SvirtError(`Failed to terminate process ${pids} with SIGTERM: Device or resource busy`, {
    kind: "timeout",
    libvirt: "SYSTEM_ERROR",
    remedy: `Kill the guest, which may lose data that it has not written: svirt destroy ${guest.name}`,
  });
}
