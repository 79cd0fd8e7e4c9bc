import {
  addDevice,
  type Device,
  type HotElement,
  replaceDevice,
  withoutDevice,
} from "../../domain/device.ts";
import { unboundDisk } from "../../domain/devices/disk/bound.ts";
import { unbound } from "../../domain/devices/network/bound.ts";
import { SvirtError } from "../../errors.ts";
import { findDevice, hotplugOf } from "../../qemu/hotplug/families.ts";
import { makeMac } from "../../resolve/generate-mac.ts";
import { addInterfaceId } from "../../resolve/interface-id.ts";
import { addGroupLimits } from "../../resolve/networks.ts";
import type { Instance } from "../../state/instance.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import type { ChangeRequest } from "../change/change-guest.ts";
import { findAliased, findRunning } from "../guest/aliased-device.ts";
import {
  attachLive,
  changeMediumLive,
  detachFound,
  detachLive,
  type MediumChange,
  setLinkLive,
} from "./live-change.ts";
import { changeSource, findDrive, refuseOtherInterface } from "./update-rules.ts";

/**
 * Attaches a device to a domain. Throws the errors of the decisions and of the host; then nothing has
 * changed.
 */
export async function attachDevice(instance: Instance, ask: Ask, device: Device): Promise<Changed> {
  // The running guest and the definition get the same MAC address and interfaceid.
  const whole = addNumbers(instance, asWritten(device));
  return await changeDomain(instance, ask, {
    live: attachLive(instance, whole),
    config(domain) {
      hotplugOf(whole).refuseDouble(domain, whole.value, "defined");
      return addDevice(domain, whole);
    },
  });
}

/** Target and options of a detach. */
export interface DetachAsk extends Ask {
  /** The detach succeeds once the guest was asked to release the device, which it may keep. */
  readonly isRequestEnough?: true;
}

/**
 * Detaches a device from a domain. Throws "not-found", "timeout" if the guest does not release it in time,
 * and "failed" if it rejects that.
 */
export async function detachDevice(instance: Instance, ask: DetachAsk, meant: Device): Promise<Changed> {
  return await changeDomain(instance, ask, {
    live: asAsked(ask, detachLive(instance, meant)),
    config: (domain) => withoutDevice(domain, findDevice(domain, meant)),
  });
}

/** Detaches a device by its alias. Throws as detachDevice(), and as findAliased(). */
export async function detachDeviceAlias(instance: Instance, ask: DetachAsk, alias: string): Promise<Changed> {
  return await changeDomain(instance, ask, {
    live: asAsked(
      ask,
      detachFound(instance, alias, (running, record) => findRunning(running, record, alias)),
    ),
    config: (domain) => withoutDevice(domain, findAliased(domain.devices, alias)),
  });
}

function asAsked({ isRequestEnough }: DetachAsk, request: ChangeRequest): ChangeRequest {
  return isRequestEnough === undefined ? request : { ...request, isRequestEnough };
}

/** Changes the medium of a drive, or ejects it. */
export async function changeMedium(instance: Instance, ask: Ask, options: MediumChange): Promise<Changed> {
  return await changeDomain(instance, ask, {
    live: changeMediumLive(instance, options),
    config(domain) {
      const old = findDrive(domain, options.target, "defined");
      return replaceDevice(domain, old, { element: "disk", value: options.change(old.value) });
    },
  });
}

interface Update<E extends HotElement> {
  readonly device: Device<E>;
  readonly force: boolean;
}

type UpdateOf<E extends HotElement> = (instance: Instance, ask: Ask, to: Update<E>) => Promise<Changed>;

/** Changes of a device of each family. "none": libvirt changes none either. qemuDomainUpdateDeviceLive() */
const UPDATES: { readonly [E in HotElement]: UpdateOf<E> | "none" } = {
  disk: async (instance, ask, { device, force }) =>
    await changeMedium(instance, ask, {
      target: device.value.target.dev,
      force,
      change: (drive) => changeSource(drive, unboundDisk(device.value)),
    }),
  interface: async (instance, ask, { device }) =>
    await changeDomain(instance, ask, {
      live: setLinkLive(instance, { ...device, value: addGroupLimits(instance, device.value) }),
      config(domain) {
        const old = findDevice(domain, device);
        return replaceDevice(
          domain,
          old,
          refuseOtherInterface(old, { ...device, value: unbound(device.value) }),
        );
      },
    }),
  controller: "none",
  rng: "none",
  channel: "none",
  hostdev: "none",
};

/**
 * Changes the properties that can change while the guest runs: a drive's medium, a network card's link state.
 */
export async function updateDevice<E extends HotElement>(
  instance: Instance,
  ask: Ask,
  to: Update<E>,
): Promise<Changed> {
  const { element } = to.device;
  const update: UpdateOf<E> | "none" = UPDATES[element];
  if (update !== "none") return await update(instance, ask, to);
  throw new SvirtError(`Operation not supported: cannot modify device '${element}'`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Detach the device, and attach another.",
  });
}

/** Returns an interface or a disk of a running guest as a definition has it. */
function asWritten(device: Device): Device {
  if (device.element === "disk") return { ...device, value: unboundDisk(device.value) };
  return device.element === "interface" ? { ...device, value: unbound(device.value) } : device;
}

function addNumbers({ host }: Instance, device: Device): Device {
  if (device.element !== "interface") return device;
  const { value } = device;
  return {
    ...device,
    value: addInterfaceId(host, { ...value, mac: value.mac ?? { address: makeMac(host) } }),
  };
}
