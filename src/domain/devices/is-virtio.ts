import type { NetworkInterface } from "./network/interface.ts";

/** Whether the interface's model is one of virtio's. */
export function isVirtio({ model: found }: NetworkInterface): boolean {
  return found?.type.startsWith("virtio") ?? false;
}
