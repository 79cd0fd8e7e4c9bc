import { SvirtError } from "../../../errors.ts";
import type { Shape } from "../../../network/traffic-shape.ts";
import type { FloorTarget } from "../../../plan/facts/tap.ts";
import { record } from "../calls/byte-records.ts";
import { EEXIST, ENOENT } from "../calls/errno.ts";
import { hostCallError } from "../calls/libc.ts";
import { addressKeys, addressSelector, filterInfo, RTM_NEWTFILTER, TCA_U32_SEL } from "./address-filter.ts";
import { attribute, attributeIn, findLink, listRoutes, nested, withRoutes } from "./netlink.ts";
import {
  addClass,
  addFairQueue,
  FIRST_CLASS,
  MOST_RATE,
  QUEUE,
  queueHead,
  SHARED_CLASS,
  type Shaped,
  TCA_HTB_CEIL64,
  TCA_HTB_PARMS,
  TCA_HTB_RATE64,
  TCA_OPTIONS,
  tellQueue,
} from "./traffic-queue.ts";

/** linux/rtnetlink.h */
const RTM_GETTCLASS = 42;
const RTM_DELTFILTER = 45;
const RTM_GETTFILTER = 46;
/** Size of struct tcmsg, and the place of its handle. */
const [HEAD_BYTES, HANDLE_AT] = [20, 8];
/** linux/pkt_cls.h */
const TCA_U32_CLASSID = 1;
/** Size of struct tc_u32_sel, before the keys. */
const SELECTOR_BYTES = 16;
/** Table of the kernel's first filters of kind u32, `800:`. A filter's number in it is that of its class. */
const FILTERS = 0x8000_0000;
const FILTER_INFO = filterInfo(2);
/** Numbers of classes of guests, below which libvirt has its own. A filter's number has 12 bits. */
const [LEAST_CLASS, MOST_CLASS] = [3, 0xfff];

/**
 * Implements Host.setFloor. The class of an interface, its fair queue and the filter by its address have a
 * common number, marked as used by the filter. A class stays when its filter is removed: it has no share, and
 * the next interface with its number uses it. If it was deleted, another svirt could lose a class just taken:
 * the kernel unbinds the filters of a class even if it refuses to delete it (tc_ctl_tclass()). The kernel is
 * asked for all others, as no record has them. virNetDevBandwidthPlug(), virNetDevBandwidthUnplug() of
 * libvirt
 */
export function setFloor({ bridge, mac }: FloorTarget, bytesPerSecond: number | undefined): void {
  withRoutes((fd) => {
    const index = findLink(fd, bridge)?.index;
    const device = { fd, name: bridge, index: index ?? 0 };
    const classes = index === undefined ? undefined : listClasses(device);
    const whole = classes?.get(FIRST_CLASS);
    if (whole === undefined || classes?.has(SHARED_CLASS) !== true) {
      // The network has ended, and its bridge may be another network's, or be in the making.
      if (bytesPerSecond === undefined) return;
      throw hostCallError(`guarantee a share of the bridge ${bridge}`, ENOENT);
    }
    if (bytesPerSecond === undefined) {
      unlessEnded(device, () => {
        removeShare(device, mac);
        shareRest(device);
      });
      return;
    }
    setShare(device, mac, { bytesPerSecond, peakBytesPerSecond: whole.ceiling });
    shareRest(device);
  });
}

/** Does work without a purpose after the network's end, and then ignores its failure. */
function unlessEnded(device: Shaped, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (listClasses(device).has(FIRST_CLASS)) throw error;
  }
}

/** Rates of a class, in bytes per second. */
interface ClassRates {
  readonly rate: number;
  readonly ceiling: number;
}

function setShare(device: Shaped, mac: string, shape: Shape): void {
  const number = numberOf(device, mac) ?? addFilter(device, mac);
  const handle = QUEUE | number;
  const change = listClasses(device).has(handle) ? "change" : undefined;
  addClass(device, { handle, parent: FIRST_CLASS, shape }, change);
  if (change === undefined) addFairQueue(device, number << 16, handle);
}

function removeShare(device: Shaped, mac: string): void {
  const number = numberOf(device, mac);
  if (number === undefined) return;
  const errno = tellQueue(device, {
    type: RTM_DELTFILTER,
    handle: (FILTERS | number) >>> 0,
    parent: QUEUE,
    info: FILTER_INFO,
    kind: "u32",
  });
  if (errno !== 0 && errno !== ENOENT) throw hostCallError(`remove a filter of ${device.name}`, errno);
}

/**
 * Gives the class of all other guests the rest. Another svirt may change the classes meanwhile: the last call
 * has seen all.
 */
function shareRest(device: Shaped): void {
  for (;;) {
    const before = restOf(device);
    if (before === undefined) return;
    addClass(device, { handle: SHARED_CLASS, parent: FIRST_CLASS, shape: before }, "change");
    if (restOf(device)?.bytesPerSecond === before.bytesPerSecond) return;
  }
}

/**
 * Returns the part of the highest rate that the guaranteed shares leave, at least 1: the kernel refuses a
 * class without a rate.
 */
function restOf(device: Shaped): Shape | undefined {
  const classes = listClasses(device);
  const whole = classes.get(FIRST_CLASS);
  if (whole === undefined) return undefined;
  const rates = listFilters(device).map(({ number }) => classes.get(QUEUE | number)?.rate ?? 0);
  const sum = rates.reduce((all, rate) => all + rate, 0);
  return { bytesPerSecond: Math.max(whole.ceiling - sum, 1), peakBytesPerSecond: whole.ceiling };
}

/** Adds the filter of an address with the first unused number, and returns that. */
function addFilter(device: Shaped, mac: string): number {
  for (let number = LEAST_CLASS; number <= MOST_CLASS; number += 1) {
    const errno = tellQueue(device, {
      type: RTM_NEWTFILTER,
      handle: (FILTERS | number) >>> 0,
      parent: QUEUE,
      info: FILTER_INFO,
      isNew: true,
      kind: "u32",
      options: nested(TCA_OPTIONS, [
        attribute(TCA_U32_CLASSID, record([32, QUEUE | number])),
        addressSelector(mac),
      ]),
    });
    if (errno === 0) return number;
    if (errno === ENOENT) {
      throw new SvirtError(
        `Cannot guarantee a share of the bridge ${device.name}: the kernel has no module cls_u32`,
        { kind: "unsupported", remedy: "Run: modprobe cls_u32" },
      );
    }
    if (errno !== EEXIST) throw hostCallError(`add a filter to ${device.name}`, errno);
  }
  throw new SvirtError("internal error: Could not generate next class ID", {
    kind: "in-use",
    libvirt: "INTERNAL_ERROR",
    from: "NETWORK",
    remedy: "Leave floor out of <inbound> of some interfaces.",
  });
}

function numberOf(device: Shaped, mac: string): number | undefined {
  const keys = addressKeys(mac).toHex();
  return listFilters(device).find((filter) => filter.keys === keys)?.number;
}

/** Lists the filters of guests' addresses. The kernel also lists their table, which has no keys. */
function listFilters({ fd, index }: Shaped): readonly { readonly number: number; readonly keys: string }[] {
  const head = queueHead({ index, parent: QUEUE });
  return listRoutes(fd, { type: RTM_GETTFILTER, head, attributes: [] }).flatMap((body) => {
    const selector = attributeIn(attributeIn(body, TCA_OPTIONS, HEAD_BYTES), TCA_U32_SEL, 0);
    if (selector.length <= SELECTOR_BYTES) return [];
    return [{ number: handleOf(body) & MOST_CLASS, keys: selector.subarray(SELECTOR_BYTES).toHex() }];
  });
}

function listClasses({ fd, index }: Shaped): ReadonlyMap<number, ClassRates> {
  const head = queueHead({ index, parent: 0 });
  const found = listRoutes(fd, { type: RTM_GETTCLASS, head, attributes: [] }).flatMap((body) => {
    const options = attributeIn(body, TCA_OPTIONS, HEAD_BYTES);
    const parameters = attributeIn(options, TCA_HTB_PARMS, 0);
    // The kernel lists the classes of other queues too, such as SFQ's.
    if (parameters.length === 0) return [];
    const rates = {
      rate: rateIn(parameters, 8, attributeIn(options, TCA_HTB_RATE64, 0)),
      ceiling: rateIn(parameters, 20, attributeIn(options, TCA_HTB_CEIL64, 0)),
    };
    return [[handleOf(body), rates] as const];
  });
  return new Map(found);
}

/** Returns the rate of a struct tc_ratespec at a place, or that of more than 32 bits. */
function rateIn(parameters: Uint8Array, at: number, large: Uint8Array): number {
  const rate = viewOf(parameters).getUint32(at, true);
  return rate === MOST_RATE && large.length === 8 ? Number(viewOf(large).getBigUint64(0, true)) : rate;
}

function handleOf(body: Uint8Array): number {
  return viewOf(body).getUint32(HANDLE_AT, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
