import type { Domain } from "../domain/domain.ts";

/** More than QEMU opens of itself: libraries' sockets, epoll, images, their overlays, what comes later, and what 9p has open. */
const OF_ALL = 4096;
/** Each device has a pair of eventfd(2) for each vCPU, of 32 devices. hw/virtio/virtio-pci.c */
const OF_VCPU = 64;
/** Of a queue: eventfd(2) of QEMU and of vhost, the tap, and vhost. hw/net/vhost_net.c */
const OF_QUEUE = 8;
/** What XML asks for bounds nothing alone. */
const MOST = 32_768;

/** How many descriptors the guest's QEMU may have, devices that are attached later included. RLIMIT_NOFILE, getrlimit(2) */
export function countDescriptors({ devices, vcpu }: Domain): number {
  const { controllers, disks, interfaces } = devices;
  const queues = [
    ...controllers.map((one) => (one.type === "scsi" ? one.driver?.queues : undefined)),
    ...disks.map(({ driver }) => driver?.queues),
    ...interfaces.map((one) =>
      "driver" in one && one.driver !== undefined && "queues" in one.driver ? one.driver.queues : undefined,
    ),
  ];
  const sum = queues.reduce<number>((all, more = 0) => all + more, 0);
  return Math.min(MOST, OF_ALL + OF_VCPU * (vcpu?.count ?? 1) + OF_QUEUE * sum);
}
