import { type Device, withDevice, withOther, withoutDevice } from "../../domain/device.ts";
import { SvirtError } from "../../errors.ts";
import { refuseDouble } from "../../qemu/hotplug/rules.ts";
import { makeMac } from "../../resolve/inspect-document.ts";
import type { Node } from "../../state/instance.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import { findDevice, findDisk } from "../guest/find-device.ts";
import { attachLive, changeMediumLive, detachLive, type MediumChange, setLinkLive } from "./live-change.ts";
import { changeSource, refuseOtherInterface } from "./update-rules.ts";

/** Attaches a device to a domain. Throws the errors of the decisions and of the host; then nothing has changed. */
export async function attachDevice(node: Node, ask: Ask, device: Device): Promise<Changed> {
  // The running guest and the definition get the same MAC address.
  const whole = withMac(node, device);
  return await changeDomain(node, ask, {
    live: attachLive(node, whole),
    config(domain) {
      refuseDouble(domain, whole);
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

/** Changes the properties that can change while the guest runs: a drive's medium, a network card's link state. */
export async function updateDevice(
  node: Node,
  ask: Ask,
  to: { readonly device: Device; readonly force: boolean },
): Promise<Changed> {
  const { device, force } = to;
  switch (device.element) {
    case "disk": {
      const target = device.value.target.dev;
      return await changeMedium(node, ask, {
        target,
        force,
        change: (drive) => changeSource(drive, device.value),
      });
    }
    case "interface":
      return await changeDomain(node, ask, {
        live: setLinkLive(node, device),
        config(domain) {
          const old = findDevice(domain, device);
          return withOther(domain, old, refuseOtherInterface(old, device));
        },
      });
    case "rng":
    case "channel":
    case "hostdev":
      throw new SvirtError(`Operation not supported: cannot modify device '${device.element}'`, {
        kind: "unsupported",
        libvirt: "OPERATION_UNSUPPORTED",
        remedy: "Detach it, and attach another.",
      });
  }
}

function withMac(node: Node, device: Device): Device {
  if (device.element !== "interface" || device.value.mac !== undefined) return device;
  return { ...device, value: { ...device.value, mac: { address: makeMac(node.host) } } };
}
