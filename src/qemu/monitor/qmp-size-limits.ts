// Rule: A message of QEMU has at most 1 MiB, a large answer 8 MiB.

/**
 * Maximum length in bytes of a QEMU message, except for the answers below. A compromised QEMU must not
 * exhaust svirt's memory.
 */
export const MOST_MESSAGE_BYTES = 1024 * 1024;

const LARGE_ANSWER_BYTES = 8 * 1024 * 1024;

/** Commands with larger answers. */
const LARGE_ANSWERS: ReadonlySet<string> = new Set([
  // Each disk with up to 200 images of its chain, about 600 bytes an image.
  "query-block",
  "query-blockstats",
  "query-named-block-nodes",
  // About 5 KiB for each vCPU, up to 1024 vCPUs.
  "query-stats",
  // Any command of the administrator: svirt qemu-monitor-command --hmp
  "human-monitor-command",
]);

/** Returns the maximum length in bytes of the answer to `command`. */
export function mostAnswerBytes(command: string | undefined): number {
  return command !== undefined && LARGE_ANSWERS.has(command) ? LARGE_ANSWER_BYTES : MOST_MESSAGE_BYTES;
}
