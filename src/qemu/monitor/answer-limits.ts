/** More bytes than a message of QEMU's has, but for the answers named below: a taken-over QEMU shall not fill svirt's memory. */
export const MOST_MESSAGE_BYTES = 1024 * 1024;

const LARGE_ANSWER_BYTES = 8 * 1024 * 1024;

/** The answers that may be larger. */
const LARGE_ANSWERS: ReadonlySet<string> = new Set([
  // Each disk with all images below its own, up to 200: some 600 bytes an image.
  "query-block",
  "query-blockstats",
  "query-named-block-nodes",
  // Some 5 KiB for each vCPU, of which there may be 1024.
  "query-stats",
  // Whatever an administrator wants to see: svirt qemu-monitor-command --hmp
  "human-monitor-command",
]);

/** How many bytes the answer to that command may have. */
export function mostAnswerBytes(command: string | undefined): number {
  return command !== undefined && LARGE_ANSWERS.has(command) ? LARGE_ANSWER_BYTES : MOST_MESSAGE_BYTES;
}
