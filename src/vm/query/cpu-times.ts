import { SEE_QEMU_LOG, SvirtError } from "../../errors.ts";
import { getTimes, type Times } from "../../run/process/thread-times.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";

/**
 * Returns the processor time of a running guest's QEMU since its start. Throws "not-found", "wrong-state".
 */
export function getCpuTimes(instance: Instance, key: string): Times {
  const { guest, name } = findRunning(instance, key);
  const times = guest.process === undefined ? undefined : getTimes(instance.host, guest.process.pid);
  if (times !== undefined) return times;
  throw new SvirtError(`Cannot read the processor time of ${name}: its QEMU has ended`, {
    kind: "wrong-state",
    remedy: SEE_QEMU_LOG,
  });
}

/**
 * Returns the refusal of times per processor of the host: control groups of version 2 do not count them, with
 * libvirt neither.
 */
export function notPerProcessor(): SvirtError {
  return new SvirtError("Operation not supported: the time on each processor of the host is not counted", {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Ask for the total: virsh cpu-stats DOMAIN --total",
  });
}
