/** A save, dump or snapshot that a process carries out, or has completed. Times in milliseconds. */
export interface DomainJob {
  readonly operation: "save" | "dump" | "snapshot";
  readonly elapsedMs: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** virDomainJobOperation of libvirt's libvirt-domain.h */
const OPERATIONS: Readonly<Record<DomainJob["operation"], number>> = { save: 2, snapshot: 6, dump: 8 };

/**
 * Returns the statistics of a job by libvirt's names. All data is memory.
 * qemuDomainMigrationJobDataToParams() of libvirt
 */
export function jobStatistics({ doneBytes, elapsedMs, operation, totalBytes }: DomainJob) {
  const [total, done] = [Math.round(totalBytes), Math.round(doneBytes)];
  const remaining = Math.max(0, total - done);
  return [
    ["operation", OPERATIONS[operation]],
    ["time_elapsed", Math.round(elapsedMs)],
    ["data_total", total],
    ["data_processed", done],
    ["data_remaining", remaining],
    ["memory_total", total],
    ["memory_processed", done],
    ["memory_remaining", remaining],
  ] as const;
}
