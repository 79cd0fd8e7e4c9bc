import type { HostDevice, HostDeviceOf } from "../devices/hostdev.ts";
import type { NetworkInterface } from "../devices/network/interface.ts";
import type { Redirdev } from "../devices/redirdev.ts";
import type { Smartcard } from "../devices/smartcard.ts";
import type { Devices } from "../devices.ts";
import { hostPciPath } from "../forms/host-pci.ts";

type ScsiSource = Extract<HostDeviceOf<"scsi">["source"], { readonly protocol: "adapter" }>;

/** Path, and its place inside the device. */
interface NamedPath {
  readonly path: string;
  readonly within: string;
}

/** Paths of a device. */
export type Paths = readonly NamedPath[];

/** Returns the path at a place, if any. */
export function pathAt(within: string, path: string | undefined): Paths {
  return path === undefined ? [] : [{ path, within }];
}

/** Lists the paths of an interface: its device or socket, its option ROM, its backend and its scripts. */
export function interfacePaths(found: NetworkInterface): Paths {
  const { backend, rom, script, downscript } = found;
  const common = [
    ...pathAt("rom/@file", rom?.file),
    ...pathAt("backend/@tap", backend?.tap),
    ...pathAt("backend/@vhost", backend?.vhost),
    ...pathAt("backend/@logFile", backend?.logFile),
    ...pathAt("script", script?.path),
    ...pathAt("downscript", downscript?.path),
  ];
  switch (found.type) {
    case "hostdev":
      return [...pathAt("", hostPciPath(found.source.address)), ...common];
    case "vdpa":
      return [...pathAt("", found.source.dev), ...common];
    case "vhostuser":
      // listGuestSockets() lists QEMU's listening sockets.
      return found.source?.mode === "server" ? common : [...pathAt("", found.source?.path), ...common];
    default:
      return common;
  }
}

/** Lists the option ROM of a host device. */
export function hostdevPaths(device: HostDevice): Paths {
  return pathAt("rom/@file", device.rom?.file);
}

/** Returns the device node of a USB device, by the numbers of its bus and device. */
export function usbNode(
  address: { readonly bus: number; readonly device: number } | undefined,
): string | undefined {
  if (address === undefined) return undefined;
  const digits = (value: number): string => String(value).padStart(3, "0");
  return `/dev/bus/usb/${digits(address.bus)}/${digits(address.device)}`;
}

/** Returns the folder of a mediated device in sysfs. */
export function mdevPath(uuid: string): string {
  return `/sys/bus/mdev/devices/${uuid}`;
}

/**
 * Returns the folder in sysfs that names the generic node of a SCSI device. virSCSIDeviceGetSgName() of
 * libvirt
 */
export function scsiPath({ adapter, address }: ScsiSource): string {
  const host = adapter.name.replace(/^scsi_host/, "");
  return `/sys/bus/scsi/devices/${host}:${address.bus}:${address.target}:${address.unit}/scsi_generic`;
}

/** Default folder of NSS certificates. VIR_DOMAIN_SMARTCARD_DEFAULT_DATABASE */
export const CERTIFICATES = "/etc/pki/nssdb";

/** Lists a smartcard's certificates, or the paths of its backend. */
export function smartcardPaths(found: Smartcard): Paths {
  if (found.type !== "none") return backendPaths(found);
  return found.mode === "host-certificates" ? pathAt("", found.database ?? CERTIFICATES) : [];
}

/** Lists the paths of the backend of a redirected device or a smartcard. */
export function backendPaths(found: Redirdev | Exclude<Smartcard, { readonly type: "none" }>): Paths {
  switch (found.type) {
    case "file":
    case "dev":
    case "pipe":
    case "unix":
      return [...pathAt("", found.source.path), ...pathAt("log", found.log?.file)];
    default:
      return pathAt("log", found.log?.file);
  }
}

/** Lists the file of a lease, opened by a lock manager. */
export function leasePaths({ target }: Devices["leases"][number]): Paths {
  return pathAt("", target.path);
}
