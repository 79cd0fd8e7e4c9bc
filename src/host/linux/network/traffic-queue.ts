import { SvirtError } from "../../../errors.ts";
import type { Shape } from "../../../network/traffic-shape.ts";
import { joined, record } from "../calls/byte-records.ts";
import { EINVAL, ENOENT } from "../calls/errno.ts";
import { cString, hostCallError } from "../calls/libc.ts";
import { attribute, nested, type RouteMessage, tellRoute } from "./netlink.ts";

/** linux/rtnetlink.h */
const RTM_NEWQDISC = 36;
const RTM_DELQDISC = 37;
const RTM_NEWTCLASS = 40;
const TCA_KIND = 1;
export const TCA_OPTIONS = 2;
/** linux/pkt_sched.h */
const TC_H_ROOT = 0xffff_ffff;
export const TCA_HTB_PARMS = 1;
const TCA_HTB_INIT = 2;
export const TCA_HTB_RATE64 = 6;
export const TCA_HTB_CEIL64 = 7;
const TC_LINKLAYER_ETHERNET = 1;
const HTB_VERSION = 3;
const HTB_RATE_TO_QUANTUM = 10;
export const MOST_RATE = 0xffff_ffff;
/** The queue of a device, `1:`, and its first class, `1:1`, as libvirt numbers them. */
export const [QUEUE, FIRST_CLASS] = [0x0001_0000, 0x0001_0001];
/** Class `1:2` of a bridge, for frames to guests without a guaranteed share. */
export const SHARED_CLASS = 0x0001_0002;
/** The queue below the class of all frames: `2:`. */
const LEAF = 0x0002_0000;
/** Interval of the redistribution of flows. tc-sfq(8) */
const PERTURB_SECONDS = 10;
/** Unit of the kernel's packet scheduler. PSCHED_SHIFT in net/pkt_sched.h */
const TICK_NS = 64;
/** Bytes permitted by tc(8) at once without a burst: a frame with its header. */
const LEAST_BURST_BYTES = 1600;

/** Device with limited traffic, and the socket. */
export interface Shaped {
  readonly fd: number;
  readonly name: string;
  readonly index: number;
}

/** A message about a queue, a class or a filter of a device. */
interface Message extends Pick<RouteMessage, "isNew"> {
  readonly type: number;
  readonly handle: number;
  readonly parent: number;
  /** Priority and protocol of a filter. */
  readonly info?: number;
  readonly kind?: string;
  readonly options?: Uint8Array;
}

/** Sends a message and returns the kernel's answer: 0, or an errno. */
export function tellQueue({ fd, index }: Shaped, message: Message): number {
  return tellRoute(fd, formatMessage(index, message));
}

/** Removes the queue of a device. The default queue stays. */
export function removeQueue(device: Shaped): void {
  const errno = tellQueue(device, { type: RTM_DELQDISC, handle: 0, parent: TC_H_ROOT });
  if (errno !== 0 && errno !== ENOENT && errno !== EINVAL)
    throw hostCallError(`remove the queue of ${device.name}`, errno);
}

/**
 * Adds a token bucket (HTB) with a class, and fair queues below it if the kernel has them; of a bridge with a
 * class above it, as parent of guests' own classes. Throws "unsupported" without HTB. virNetDevBandwidthSet()
 * of libvirt
 */
export function addQueue(device: Shaped, shape: Shape, of: "tap" | "bridge"): void {
  const isShared = of === "bridge";
  const queue = tellQueue(device, {
    type: RTM_NEWQDISC,
    handle: QUEUE,
    parent: TC_H_ROOT,
    isNew: true,
    kind: "htb",
    options: nested(TCA_OPTIONS, [
      attribute(TCA_HTB_INIT, formatGlobal(isShared ? SHARED_CLASS : FIRST_CLASS)),
    ]),
  });
  if (queue === ENOENT) {
    throw new SvirtError(`Cannot limit the frames to ${device.name}: the kernel has no module sch_htb`, {
      kind: "unsupported",
      remedy: "Run: modprobe sch_htb",
    });
  }
  if (queue !== 0) throw hostCallError(`limit the frames to ${device.name}`, queue);
  if (!isShared) {
    addClass(device, { handle: FIRST_CLASS, parent: QUEUE, shape });
    addFairQueue(device, LEAF, FIRST_CLASS);
    return;
  }
  const { burstBytes: _, ...whole } = shape;
  addClass(device, { handle: FIRST_CLASS, parent: QUEUE, shape: whole });
  addClass(device, { handle: SHARED_CLASS, parent: FIRST_CLASS, shape });
  addFairQueue(device, LEAF, SHARED_CLASS);
}

interface Class {
  readonly handle: number;
  readonly parent: number;
  readonly shape: Shape;
}

/** Adds a class, or changes the present class. */
export function addClass(device: Shaped, { handle, parent, shape }: Class, change?: "change"): void {
  const errno = tellQueue(device, {
    type: RTM_NEWTCLASS,
    handle,
    parent,
    ...(change === undefined ? { isNew: true } : {}),
    kind: "htb",
    options: nested(TCA_OPTIONS, formatClass(shape)),
  });
  if (errno !== 0) throw hostCallError(`limit the frames to ${device.name}`, errno);
}

/** Adds fair queues (SFQ) below a class. Without the module frames leave in their order. */
export function addFairQueue(device: Shaped, handle: number, parent: number): void {
  const errno = tellQueue(device, {
    type: RTM_NEWQDISC,
    handle,
    parent,
    isNew: true,
    kind: "sfq",
    options: attribute(TCA_OPTIONS, record([32, 0], [32, PERTURB_SECONDS], [32, 0], [32, 0], [32, 0])),
  });
  if (errno !== 0 && errno !== ENOENT) throw hostCallError(`set the queue of ${device.name}`, errno);
}

/**
 * Formats struct tc_htb_glob: version, rate2quantum, default class, debug, number of unclassified packets.
 */
function formatGlobal(defaultClass: number): Uint8Array {
  return record([32, HTB_VERSION], [32, HTB_RATE_TO_QUANTUM], [32, defaultClass & 0xffff], [32, 0], [32, 0]);
}

/**
 * Formats struct tc_htb_opt: rate, ceiling, time of a burst at each, quantum, level, priority; and rates of
 * more than 32 bits.
 */
function formatClass({ burstBytes = 0, bytesPerSecond, peakBytesPerSecond }: Shape): readonly Uint8Array[] {
  const rates = [bytesPerSecond, peakBytesPerSecond] as const;
  const burst = Math.max(burstBytes, LEAST_BURST_BYTES);
  const parameters = joined([
    ...rates.map(formatRate),
    record(
      [32, ticksOf(burst, bytesPerSecond)],
      [32, ticksOf(LEAST_BURST_BYTES, peakBytesPerSecond)],
      [32, quantumOf(bytesPerSecond)],
      [32, 0],
      [32, 0],
    ),
  ]);
  return [
    attribute(TCA_HTB_PARMS, parameters),
    attribute(TCA_HTB_RATE64, number64(bytesPerSecond)),
    attribute(TCA_HTB_CEIL64, number64(peakBytesPerSecond)),
  ];
}

/** Formats struct tc_ratespec. With a link layer the kernel needs no table of times. */
function formatRate(bytesPerSecond: number): Uint8Array {
  return record(
    [8, 0],
    [8, TC_LINKLAYER_ETHERNET],
    [16, 0],
    [16, 0],
    [16, 0],
    [32, Math.min(bytesPerSecond, MOST_RATE)],
  );
}

function ticksOf(bytes: number, bytesPerSecond: number): number {
  return Math.min(Math.ceil((bytes * 1e9) / bytesPerSecond / TICK_NS), MOST_RATE);
}

/** virNetDevBandwidthCmdAddOptimalQuantum() of libvirt; it counts an average in kilobytes as KiB */
function quantumOf(bytesPerSecond: number): number {
  const frames = Math.floor(((bytesPerSecond / 1000) * 1024) / 8 / 1500);
  return Math.min(Math.max(frames, 1), MOST_RATE);
}

function number64(value: number): Uint8Array {
  return record([32, value % 2 ** 32], [32, Math.floor(value / 2 ** 32)]);
}

function formatMessage(index: number, { handle, info = 0, isNew, kind, options, parent, type }: Message) {
  return {
    type,
    head: queueHead({ index, handle, parent, info }),
    ...(isNew === undefined ? {} : { isNew }),
    attributes: [
      ...(kind === undefined ? [] : [attribute(TCA_KIND, cString(kind))]),
      ...(options === undefined ? [] : [options]),
    ],
  };
}

/** Formats struct tcmsg: family, padding, index, handle, parent, info. */
export function queueHead({
  handle = 0,
  index,
  info = 0,
  parent,
}: {
  readonly index: number;
  readonly handle?: number;
  readonly parent: number;
  readonly info?: number;
}): Uint8Array {
  return record([8, 0], [8, 0], [16, 0], [32, index], [32, handle], [32, parent], [32, info]);
}
