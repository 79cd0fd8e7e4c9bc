import type { Device } from "../../domain/device.ts";
import { SvirtError } from "../../errors.ts";
import type { GuestRecord } from "../../state/record.ts";

/**
 * Throws "wrong-state" with libvirt's message for a disk that QEMU copies, commits or pulls.
 * qemuDomainDiskBlockJobIsActive()
 */
export function refuseBusyDisk({ jobs = [], name }: GuestRecord, device: Device): void {
  if (device.element !== "disk") return;
  const target = device.value.target.dev;
  if (!jobs.some(({ disk }) => disk === target)) return;
  throw new SvirtError(`block copy still active: disk '${target}' already in active block job`, {
    kind: "wrong-state",
    libvirt: "BLOCK_COPY_ACTIVE",
    remedy: `Wait until the job has ended, or abort it: svirt blockjob ${name} ${target} --abort`,
  });
}
