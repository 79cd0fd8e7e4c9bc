import type { NetworkInterface } from "./network/interface.ts";

/** Whether the interface's model is a virtio model. */
export function isVirtio({ model: found }: NetworkInterface): boolean {
  return found?.type.startsWith("virtio") ?? false;
}
