import { record } from "../calls/byte-records.ts";
import { EEXIST, ENOENT } from "../calls/errno.ts";
import { cString, hostCallError } from "../calls/libc.ts";
import { addressSelector, filterInfo, RTM_NEWTFILTER } from "./address-filter.ts";
import { attribute, nested } from "./netlink.ts";
import { type Shaped, TCA_OPTIONS, tellQueue } from "./traffic-queue.ts";

// Rule: No frame of a guest changes the topology of a bridge that svirt made.

/** linux/rtnetlink.h */
const RTM_NEWQDISC = 36;
/** linux/pkt_sched.h: the place of frames from a device, and the number of the queue there. */
const TC_H_INGRESS = 0xffff_fff1;
const INGRESS_QUEUE = 0xffff_0000;
/** linux/pkt_cls.h */
const TCA_U32_ACT = 7;
const TC_ACT_SHOT = 2;
const TCA_ACT_KIND = 1;
const TCA_ACT_OPTIONS = 2;
/** linux/tc_act/tc_gact.h */
const TCA_GACT_PARMS = 2;
/** First of the sixteen addresses, which differ in the last four bits. */
const [BRIDGES, SIXTEEN] = ["01:80:c2:00:00:00", 0xf0] as const;

/**
 * Drops the frames from a device to 01-80-C2-00-00-0X, the addresses of bridges and similar neighbours,
 * before the bridge sees them. They are those of spanning trees, of link aggregation and of LLDP. Does
 * nothing on a kernel without sch_ingress, cls_u32 or act_gact. IEEE Std 802.1Q table 8-1;
 * is_link_local_ether_addr() of Linux
 */
export function dropBridgeFrames(device: Shaped): void {
  const queue = tellQueue(device, {
    type: RTM_NEWQDISC,
    handle: INGRESS_QUEUE,
    parent: TC_H_INGRESS,
    isNew: true,
    kind: "ingress",
  });
  if (queue === ENOENT) return;
  // The step is repeated for a port of Open vSwitch, and after a kill.
  if (queue !== 0 && queue !== EEXIST) throw hostCallError(`filter the frames from ${device.name}`, queue);
  const filter = tellQueue(device, {
    type: RTM_NEWTFILTER,
    handle: 0,
    parent: INGRESS_QUEUE,
    info: filterInfo(1),
    isNew: true,
    kind: "u32",
    options: nested(TCA_OPTIONS, [addressSelector(BRIDGES, SIXTEEN), nested(TCA_U32_ACT, [formatDrop()])]),
  });
  if (filter !== 0 && filter !== ENOENT && filter !== EEXIST)
    throw hostCallError(`filter the frames from ${device.name}`, filter);
}

/** Formats the first action of a filter, struct tc_gact: number, capabilities, verdict and two counts. */
function formatDrop(): Uint8Array {
  const parameters = record([32, 0], [32, 0], [32, TC_ACT_SHOT], [32, 0], [32, 0]);
  return nested(1, [
    attribute(TCA_ACT_KIND, cString("gact")),
    nested(TCA_ACT_OPTIONS, [attribute(TCA_GACT_PARMS, parameters)]),
  ]);
}
