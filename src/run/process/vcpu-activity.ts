import type { Host } from "../../host/host.ts";

/**
 * Activity of a QEMU's vCPU threads, as the kernel shows it.
 *
 * - `active`: a thread runs, or waits for an interrupt inside KVM. QEMU has not stopped the guest.
 * - `halted`: a signal or a control group has stopped QEMU. It answers nothing.
 * - `unknown`: neither shows. QEMU has stopped the guest, QEMU itself waits, or TCG waits for an interrupt:
 *   all three wait in a futex.
 */
export type VcpuActivity = "active" | "halted" | "unknown";

/**
 * Limit on the threads that are inspected, since QEMU determines their number. vCPU threads are among its
 * first.
 */
const MOST_THREADS = 64;
/** Kernel functions of a vCPU waiting for an interrupt. linux.git virt/kvm/kvm_main.c kvm_vcpu_block() */
const KVM_WAITS = "kvm_vcpu_";
/** Kernel function of a frozen thread. linux.git kernel/signal.c */
const FROZEN = "do_freezer_trap";

/**
 * Inspects a QEMU's vCPU threads through /proc, without querying QEMU. `debug-threads=on` names them. A QEMU
 * can lie only about its own guest. qemu.git system/cpus.c qemu_wait_io_event(), proc_pid_stat(5),
 * proc_pid_wchan(5)
 */
export function lookAtVcpus(host: Host, pid: number): VcpuActivity {
  try {
    const main = String(pid);
    let left = MOST_THREADS;
    for (const thread of host.listFolder(`/proc/${pid}/task`)) {
      // The main loop, never a vCPU.
      if (thread === main) continue;
      const activity = lookAtThread(host, `/proc/${pid}/task/${thread}`);
      if (activity !== "unknown") return activity;
      left -= 1;
      if (left === 0) break;
    }
  } catch {
    // A thread or the process ended between two reads.
  }
  return "unknown";
}

function lookAtThread(host: Host, folder: string): VcpuActivity {
  const stat = host.readText(`${folder}/stat`) ?? "";
  // The name is in parentheses and may have any bytes.
  const nameEnd = stat.lastIndexOf(") ");
  if (!isVcpuName(stat.slice(stat.indexOf("(") + 1, nameEnd))) return "unknown";
  const state = stat[nameEnd + 2];
  if (state === "R") return "active";
  if (state === "T") return "halted";
  if (state !== "S") return "unknown";
  const waitsIn = host.readText(`${folder}/wchan`) ?? "";
  if (waitsIn.startsWith(KVM_WAITS)) return "active";
  return waitsIn === FROZEN ? "halted" : "unknown";
}

/** Names of QEMU's vCPU threads: `CPU 0/KVM`, `CPU 0/TCG`; `ALL CPUs/TCG` if a single thread runs all. */
function isVcpuName(name: string): boolean {
  return name.startsWith("CPU ") || name.startsWith("ALL CPUs/");
}
