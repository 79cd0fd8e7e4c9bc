import { type Device, familyOf } from "../../domain/device.ts";
import type { Devices } from "../../domain/devices.ts";
import { ELEMENTS } from "../../domain/families.ts";
import { SvirtError } from "../../errors.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import type { GuestRecord } from "../../state/record.ts";
import { namedDevices } from "./named-devices.ts";
import type { runningGuest } from "./running-guest.ts";

/**
 * Returns the device of a running guest by the alias in its XML: the device of the guest's domain itself,
 * since others may have the same MAC address or name. Throws as findAliased().
 */
export function findRunning(
  { domain, guest }: ReturnType<typeof runningGuest>,
  { steps }: Pick<GuestRecord, "steps">,
  alias: string,
): Device {
  const devices = namedDevices(guest, listQemuObjects(steps));
  const device = findAliased(devices, alias);
  const family = familyOf(device);
  const named: readonly Device["value"][] = devices[family];
  return { ...device, value: domain.devices[family][named.indexOf(device.value)] } as Device;
}

/**
 * Returns the device with an alias. Throws "failed" with libvirt's message if there is none; "unsupported"
 * for a device that is not detached. virDomainDefFindDevice() of libvirt
 */
export function findAliased(devices: Devices, alias: string): Device {
  const found = listHot(devices).find(({ value }) => value.alias === alias);
  if (found !== undefined) return found;
  const other = Object.entries(ELEMENTS).find(([family]) =>
    [devices[family as keyof typeof ELEMENTS]].flat().some((one) => aliasOf(one) === alias),
  );
  if (other !== undefined) {
    throw new SvirtError(`Operation not supported: a ${other[1]} cannot be detached: ${alias}`, {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Change the definition: svirt edit",
    });
  }
  throw new SvirtError(`internal error: no device found with alias ${alias}`, {
    kind: "failed",
    from: "DOMAIN",
    remedy:
      "svirt dumpxml shows the aliases of a running guest. In a definition only those that begin with ua- count.",
  });
}

function listHot({ channels, controllers, disks, hostdevs, interfaces, rngs }: Devices): readonly Device[] {
  return [
    ...disks.map((value): Device => ({ element: "disk", value })),
    ...controllers
      .filter(({ type }) => type === "scsi")
      .map((value): Device => ({ element: "controller", value })),
    ...interfaces.map((value): Device => ({ element: "interface", value })),
    ...rngs.map((value): Device => ({ element: "rng", value })),
    ...channels.map((value): Device => ({ element: "channel", value })),
    ...hostdevs.map((value): Device => ({ element: "hostdev", value })),
  ];
}

function aliasOf(device: unknown): unknown {
  return typeof device === "object" && device !== null && "alias" in device ? device.alias : undefined;
}
