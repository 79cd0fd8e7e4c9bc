import type { Shape } from "./traffic-shape.ts";

/**
 * Side of `<bandwidth>`: rates in kilobytes per second, a burst in KiB.
 * https://libvirt.org/formatnetwork.html#quality-of-service
 */
interface Side {
  readonly average?: number;
  readonly peak?: number;
  readonly burst?: number;
}

/** Limit of the frames from guests. */
interface Limit {
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
}

/** Units of `<bandwidth>`: rates in kilobytes, a burst in KiB, as tc(8) reads libvirt's `kbps` and `kb`. */
const [KILOBYTE, KIB] = [1000, 1024];
/** The kernel keeps a burst in 32 bits. */
const MOST_BURST_BYTES = 2 ** 32 - 1;

/** Returns the limit of an `<inbound>`. Undefined without an average. virNetDevBandwidthSet() of libvirt */
export function shapeOf({ average, burst, peak }: Side = {}): Shape | undefined {
  if (average === undefined) return undefined;
  const bytesPerSecond = bytesOf(average);
  return {
    bytesPerSecond,
    peakBytesPerSecond: peak === undefined ? bytesPerSecond : bytesOf(peak),
    ...(burst === undefined ? {} : { burstBytes: burstOf(burst) }),
  };
}

/**
 * Returns the limit of an `<outbound>`. Without a burst, that is what passes in a second. libvirt ignores the
 * peak of frames from guests. Undefined without an average. virNetDevBandwidthSet() of libvirt
 */
export function limitOf({ average, burst }: Side = {}): Limit | undefined {
  if (average === undefined) return undefined;
  return { bytesPerSecond: bytesOf(average), burstBytes: burstOf(burst ?? average) };
}

/** Returns a rate of `<bandwidth>` in bytes per second. */
export function bytesOf(kilobytes: number): number {
  return Math.min(kilobytes * KILOBYTE, Number.MAX_SAFE_INTEGER);
}

function burstOf(kiB: number): number {
  return Math.min(kiB * KIB, MOST_BURST_BYTES);
}
