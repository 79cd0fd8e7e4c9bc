import type { NetworkInterface } from "./network/interface.ts";

/** Whether the guest sees one of virtio's interfaces. */
export function isVirtio({ model: found }: NetworkInterface): boolean {
  return found?.type.startsWith("virtio") ?? false;
}
