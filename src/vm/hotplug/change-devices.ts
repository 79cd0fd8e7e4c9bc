import { type Device, type HotElement, withDevice, withOther, withoutDevice } from "../../domain/device.ts";
import { SvirtError } from "../../errors.ts";
import { findDisk } from "../../qemu/hotplug/disk.ts";
import { findDevice, hotplugOf } from "../../qemu/hotplug/families.ts";
import { makeMac } from "../../resolve/inspect-document.ts";
import type { Node } from "../../state/instance.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import { attachLive, changeMediumLive, detachLive, type MediumChange, setLinkLive } from "./live-change.ts";
import { changeSource, refuseOtherInterface } from "./update-rules.ts";

/** Attaches a device to a domain. Throws the errors of the decisions and of the host; then nothing has changed. */
export async function attachDevice(node: Node, ask: Ask, device: Device): Promise<Changed> {
  // The running guest and the definition get the same MAC address.
  const whole = withMac(node, device);
  return await changeDomain(node, ask, {
    live: attachLive(node, whole),
    config(domain) {
      hotplugOf(whole).refuseDouble(domain, whole.value);
      return withDevice(domain, whole);
    },
  });
}

/** Detaches a device from a domain. Throws "not-found", and "timeout" if the guest does not release it in time. */
export async function detachDevice(node: Node, ask: Ask, meant: Device): Promise<Changed> {
  return await changeDomain(node, ask, {
    live: detachLive(node, meant),
    config: (domain) => withoutDevice(domain, findDevice(domain, meant)),
  });
}

/** Changes the medium of a drive, or ejects it. */
export async function changeMedium(node: Node, ask: Ask, wish: MediumChange): Promise<Changed> {
  return await changeDomain(node, ask, {
    live: changeMediumLive(node, wish),
    config(domain) {
      const old = findDisk(domain, wish.target);
      return withOther(domain, old, { element: "disk", value: wish.change(old.value) });
    },
  });
}

interface Update<E extends HotElement> {
  readonly device: Device<E>;
  readonly force: boolean;
}

type UpdateOf<E extends HotElement> = (node: Node, ask: Ask, to: Update<E>) => Promise<Changed>;

/** Changes of a device of each family. "none": libvirt changes none either. qemuDomainUpdateDeviceLive() */
const UPDATES: { readonly [E in HotElement]: UpdateOf<E> | "none" } = {
  disk: async (node, ask, { device, force }) =>
    await changeMedium(node, ask, {
      target: device.value.target.dev,
      force,
      change: (drive) => changeSource(drive, device.value),
    }),
  interface: async (node, ask, { device }) =>
    await changeDomain(node, ask, {
      live: setLinkLive(node, device),
      config(domain) {
        const old = findDevice(domain, device);
        return withOther(domain, old, refuseOtherInterface(old, device));
      },
    }),
  rng: "none",
  channel: "none",
  hostdev: "none",
};

/** Changes the properties that can change while the guest runs: a drive's medium, a network card's link state. */
export async function updateDevice<E extends HotElement>(
  node: Node,
  ask: Ask,
  to: Update<E>,
): Promise<Changed> {
  const { element } = to.device;
  const update: UpdateOf<E> | "none" = UPDATES[element];
  if (update !== "none") return await update(node, ask, to);
  throw new SvirtError(`Operation not supported: cannot modify device '${element}'`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Detach it, and attach another.",
  });
}

function withMac(node: Node, device: Device): Device {
  if (device.element !== "interface" || device.value.mac !== undefined) return device;
  return { ...device, value: { ...device.value, mac: { address: makeMac(node.host) } } };
}
