// Rule: Each conversation with QEMU has a time limit.

/** Time limit of a conversation that only queries: longer than QEMU ever takes, unless it hangs. */
export const MONITOR_TIMEOUT_MS = 10_000;

/**
 * Time limit of a conversation in which QEMU opens, flushes or closes files, or the guest must act: devices,
 * media, jobs, stop and cont.
 */
export const CHANGE_TIMEOUT_MS = 30_000;

/** Time for QEMU to end a block job that needs nothing more: it may have to write the guest's latest data. */
export const JOB_END_TIMEOUT_MS = 60_000;

/**
 * Time limit for each MiB of a state that is saved, dumped or loaded. The transfer as a whole has no limit.
 */
export const STREAM_IDLE_MS = 60_000;
