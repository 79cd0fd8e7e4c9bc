import type { Domain } from "../domain/domain.ts";

/**
 * Descriptors of QEMU itself, rounded up: sockets of libraries, epoll, images, overlays, later devices, and
 * open files of 9p.
 */
const OF_ALL = 4096;
/** Descriptors per vCPU: a pair of eventfd(2) for each of 32 devices. hw/virtio/virtio-pci.c */
const OF_VCPU = 64;
/** Descriptors per queue: eventfd(2) of QEMU and of vhost, the tap, and vhost. hw/net/vhost_net.c */
const OF_QUEUE = 8;
/** Upper bound for any XML. */
const MOST = 32_768;

/**
 * Returns the maximum number of descriptors of the guest's QEMU, with room for later devices. RLIMIT_NOFILE,
 * getrlimit(2)
 */
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
