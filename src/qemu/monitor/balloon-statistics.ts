import * as v from "valibot";
import { count, parseAnswer } from "./parse-answer.ts";

/** Memory statistics reported by the guest through its balloon, under libvirt's names, in libvirt's order. */
export type BalloonStatistics = readonly (readonly [name: string, value: number])[];

const guestStats = v.looseObject({ stats: v.record(v.string(), count), "last-update": count });

/**
 * libvirt's name, QEMU's name, and QEMU units per libvirt unit. qemu.git
 * docs/interop/virtio-balloon-stats.rst
 */
const NAMES: readonly (readonly [name: string, stat: string, unit: number])[] = [
  ["swap_in", "stat-swap-in", 1024],
  ["swap_out", "stat-swap-out", 1024],
  ["major_fault", "stat-major-faults", 1],
  ["minor_fault", "stat-minor-faults", 1],
  ["unused", "stat-free-memory", 1024],
  ["available", "stat-total-memory", 1024],
  ["usable", "stat-available-memory", 1024],
  ["last_update", "last-update", 1],
  ["disk_caches", "stat-disk-caches", 1024],
  ["hugetlb_pgalloc", "stat-htlb-pgalloc", 1],
  ["hugetlb_pgfail", "stat-htlb-pgfail", 1],
];

/** QEMU's mark of a value not reported by the guest: 2^64 - 1, which JavaScript rounds to 2^64. */
const UNTOLD = 2 ** 64;

/**
 * Parses the balloon's property `guest-stats`, without the values that the guest did not report. Throws
 * "failed".
 */
export function parseBalloonStatistics(answer: unknown): BalloonStatistics {
  const { stats, "last-update": lastUpdate } = parseAnswer(guestStats, answer, "qom-get guest-stats");
  const told = new Map(Object.entries(stats)).set("last-update", lastUpdate);
  return NAMES.flatMap(([name, stat, unit]) => {
    const value = told.get(stat);
    return value === undefined || value >= UNTOLD ? [] : [[name, Math.floor(value / unit)] as const];
  });
}
