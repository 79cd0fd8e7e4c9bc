import type { Shape } from "../../../network/traffic-shape.ts";
import { ENODEV } from "../calls/errno.ts";
import { hostCallError } from "../calls/libc.ts";
import { findLink, withRoutes } from "./netlink.ts";
import { addQueue, removeQueue } from "./traffic-queue.ts";

/**
 * Implements Host.shapeTap by the messages of tc(8) that libvirt's command lines send.
 * virNetDevBandwidthSet() of libvirt
 */
export function shapeTap(name: string, shape: Shape | undefined): void {
  withRoutes((fd) => {
    const index = findLink(fd, name)?.index;
    if (index === undefined) {
      if (shape === undefined) return;
      throw hostCallError(`find the network device ${name}`, ENODEV);
    }
    const device = { fd, name, index };
    removeQueue(device);
    if (shape !== undefined) addQueue(device, shape, "tap");
  });
}
