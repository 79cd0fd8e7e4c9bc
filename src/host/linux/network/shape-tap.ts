import { SvirtError } from "../../../errors.ts";
import type { TapShape } from "../../../plan/facts/tap.ts";
import { joined, record } from "../calls/byte-records.ts";
import { EINVAL, ENODEV, ENOENT } from "../calls/errno.ts";
import { cString, hostCallError } from "../calls/libc.ts";
import { attribute, findLink, nested, tellRoute, withRoutes } from "./netlink.ts";

/** linux/rtnetlink.h */
const RTM_NEWQDISC = 36;
const RTM_DELQDISC = 37;
const RTM_NEWTCLASS = 40;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
/** linux/pkt_sched.h */
const TC_H_ROOT = 0xffff_ffff;
const TCA_HTB_PARMS = 1;
const TCA_HTB_INIT = 2;
const TCA_HTB_RATE64 = 6;
const TCA_HTB_CEIL64 = 7;
const TC_LINKLAYER_ETHERNET = 1;
const HTB_VERSION = 3;
const HTB_RATE_TO_QUANTUM = 10;
const MOST_RATE = 0xffff_ffff;
/** The queue, its only class, and the queue below that: `1:`, `1:1` and `2:`, as libvirt numbers them. */
const [QUEUE, CLASS, LEAF] = [0x0001_0000, 0x0001_0001, 0x0002_0000];
/** Interval in which flows are redistributed. tc-sfq(8) */
const PERTURB_SECONDS = 10;
/** Unit of the kernel's packet scheduler. PSCHED_SHIFT in net/pkt_sched.h */
const TICK_NS = 64;
/** Bytes that tc(8) permits at once without a burst: one frame, with its header. */
const LEAST_BURST_BYTES = 1600;

/**
 * Implements Host.shapeTap by the messages of tc(8) that libvirt's command lines send: a token bucket (HTB) with one class, and fair
 * queues below it if the kernel has them. virNetDevBandwidthSet() of libvirt
 */
export function shapeTap(name: string, shape: TapShape | undefined): void {
  withRoutes((fd) => {
    const index = findLink(fd, name)?.index;
    if (index === undefined) {
      if (shape === undefined) return;
      throw hostCallError(`find the network device ${name}`, ENODEV);
    }
    const say = (message: Message): number => tellRoute(fd, formatMessage(index, message));
    const removed = say({ type: RTM_DELQDISC, handle: 0, parent: TC_H_ROOT });
    // The default queue cannot be removed.
    if (removed !== 0 && removed !== ENOENT && removed !== EINVAL)
      throw hostCallError(`remove the queue of ${name}`, removed);
    if (shape !== undefined) addQueue(name, shape, say);
  });
}

type Say = (message: Message) => number;

/** A message about a queue or a class of a device. */
interface Message {
  readonly type: number;
  readonly handle: number;
  readonly parent: number;
  readonly kind?: string;
  readonly options?: Uint8Array;
}

function addQueue(name: string, shape: TapShape, say: Say): void {
  const queue = say({
    type: RTM_NEWQDISC,
    handle: QUEUE,
    parent: TC_H_ROOT,
    kind: "htb",
    options: nested(TCA_OPTIONS, [attribute(TCA_HTB_INIT, formatGlobal())]),
  });
  if (queue === ENOENT) {
    throw new SvirtError(`Cannot limit the frames to ${name}: the kernel has no module sch_htb`, {
      kind: "unsupported",
      remedy: "Run: modprobe sch_htb",
    });
  }
  const errno =
    queue ||
    say({
      type: RTM_NEWTCLASS,
      handle: CLASS,
      parent: QUEUE,
      kind: "htb",
      options: nested(TCA_OPTIONS, formatClass(shape)),
    });
  if (errno !== 0) throw hostCallError(`limit the frames to ${name}`, errno);
  const fair = say({
    type: RTM_NEWQDISC,
    handle: LEAF,
    parent: CLASS,
    kind: "sfq",
    options: attribute(TCA_OPTIONS, record([32, 0], [32, PERTURB_SECONDS], [32, 0], [32, 0], [32, 0])),
  });
  // Without the module frames leave in their order.
  if (fair !== 0 && fair !== ENOENT) throw hostCallError(`set the queue of ${name}`, fair);
}

/** Formats struct tc_htb_glob: version, rate2quantum, default class, debug, packets that passed unclassified. */
function formatGlobal(): Uint8Array {
  return record([32, HTB_VERSION], [32, HTB_RATE_TO_QUANTUM], [32, 1], [32, 0], [32, 0]);
}

/** Formats struct tc_htb_opt: rate, ceiling, time of a burst at each, quantum, level, priority; and rates of more than 32 bits. */
function formatClass({
  burstBytes = 0,
  bytesPerSecond,
  peakBytesPerSecond,
}: TapShape): readonly Uint8Array[] {
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

/** virNetDevBandwidthCmdAddOptimalQuantum() of libvirt, which counts an average in kilobytes as KiB */
function quantumOf(bytesPerSecond: number): number {
  const frames = Math.floor(((bytesPerSecond / 1000) * 1024) / 8 / 1500);
  return Math.min(Math.max(frames, 1), MOST_RATE);
}

function number64(value: number): Uint8Array {
  return record([32, value % 2 ** 32], [32, Math.floor(value / 2 ** 32)]);
}

/** Formats struct tcmsg: family, padding, index, handle, parent, info. */
function formatMessage(index: number, { handle, kind, options, parent, type }: Message) {
  return {
    type,
    head: record([8, 0], [8, 0], [16, 0], [32, index], [32, handle], [32, parent], [32, 0]),
    ...(kind === undefined ? {} : { isNew: true as const }),
    attributes: [
      ...(kind === undefined ? [] : [attribute(TCA_KIND, cString(kind))]),
      ...(options === undefined ? [] : [options]),
    ],
  };
}
