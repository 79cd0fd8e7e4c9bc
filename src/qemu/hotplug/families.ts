import type { Device, HotElement } from "../../domain/device.ts";
import type { Domain } from "../../domain/domain.ts";
import { CHANNEL } from "./channel.ts";
import { CONTROLLER } from "./controller.ts";
import { DISK } from "./disk.ts";
import type { HotplugFamily } from "./family.ts";
import { HOSTDEV } from "./hostdev.ts";
import { NETWORK } from "./network.ts";
import { RNG } from "./rng.ts";

/** Families with hot-plug: each has a form in domain/device.ts. */
const HOTPLUG: { readonly [E in HotElement]: HotplugFamily<E> } = {
  disk: DISK,
  controller: CONTROLLER,
  interface: NETWORK,
  rng: RNG,
  channel: CHANNEL,
  hostdev: HOSTDEV,
};

/** Returns the decisions of hot-plug about the device's family. */
export function hotplugOf<E extends HotElement>({ element }: Device<E>): HotplugFamily<E> {
  return HOTPLUG[element];
}

/**
 * Returns the device's name for messages: a disk's target, an interface's address, a channel's name in the
 * guest.
 */
export function nameDevice(device: Device): string {
  return hotplugOf(device).name(device.value);
}

/** Returns the domain's device identified by `meant`. Throws "not-found", "usage". */
export function findDevice<E extends HotElement>(domain: Domain, meant: Device<E>): Device<E> {
  const value = hotplugOf(meant).find(domain, meant.value);
  return { ...meant, value };
}
