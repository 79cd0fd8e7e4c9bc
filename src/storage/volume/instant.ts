const NANOSECONDS = 1_000_000_000n;
const DECIMALS = 9;

/**
 * Returns an instant in seconds since 1970, with nine decimals unless they are zeros.
 * virStorageVolTimestampFormat() of libvirt
 */
export function formatInstant(instantNs: bigint): string {
  // Rounded down, as the kernel keeps instants before 1970: seconds below zero, nanoseconds above.
  const rest = ((instantNs % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  const seconds = (instantNs - rest) / NANOSECONDS;
  return rest === 0n ? `${seconds}` : `${seconds}.${String(rest).padStart(DECIMALS, "0")}`;
}
