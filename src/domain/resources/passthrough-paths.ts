import type { HostDevice, HostDeviceOf } from "../devices/hostdev.ts";
import type { NetworkInterface } from "../devices/network/interface.ts";
import type { Redirdev } from "../devices/redirdev.ts";
import type { Smartcard } from "../devices/smartcard.ts";
import type { Devices } from "../devices.ts";
import { hostPciPath } from "../forms/host-pci.ts";

type ScsiSource = Extract<HostDeviceOf<"scsi">["source"], { readonly protocol: "adapter" }>;

/** A path, and the place inside the device that names it. */
interface NamedPath {
  readonly path: string;
  readonly within: string;
}

/** The paths of one device. */
export type Paths = readonly NamedPath[];

/** The path that a place names, if it names one. */
export function pathAt(within: string, path: string | undefined): Paths {
  return path === undefined ? [] : [{ path, within }];
}

/** What an interface names: its device, its boot program, and what serves it or speaks for it. */
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
      // Where QEMU listens: listGuestSockets().
      return found.source?.mode === "server" ? common : [...pathAt("", found.source?.path), ...common];
    default:
      return common;
  }
}

/** The boot program of a device of the host. */
export function hostdevPaths(device: HostDevice): Paths {
  return pathAt("rom/@file", device.rom?.file);
}

/** A USB device's node, by the numbers of its bus and of itself. */
export function usbNode(
  address: { readonly bus: number; readonly device: number } | undefined,
): string | undefined {
  if (address === undefined) return undefined;
  const digits = (value: number): string => String(value).padStart(3, "0");
  return `/dev/bus/usb/${digits(address.bus)}/${digits(address.device)}`;
}

/** A mediated device's folder in sysfs. */
export function mdevPath(uuid: string): string {
  return `/sys/bus/mdev/devices/${uuid}`;
}

/** The folder in sysfs that names the generic node of a SCSI device. virSCSIDeviceGetSgName() of libvirt */
export function scsiPath({ adapter, address }: ScsiSource): string {
  const host = adapter.name.replace(/^scsi_host/, "");
  return `/sys/bus/scsi/devices/${host}:${address.bus}:${address.target}:${address.unit}/scsi_generic`;
}

/** Where NSS keeps certificates, unless the XML says otherwise. VIR_DOMAIN_SMARTCARD_DEFAULT_DATABASE */
export const CERTIFICATES = "/etc/pki/nssdb";

/** A smartcard's certificates, or what it is connected to. */
export function smartcardPaths(found: Smartcard): Paths {
  if (found.type !== "none") return backendPaths(found);
  return found.mode === "host-certificates" ? pathAt("", found.database ?? CERTIFICATES) : [];
}

/** What a redirected device, or a smartcard, is connected to. */
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

/** Those of leases, whose files a lock manager opens. */
export function leasePaths({ target }: Devices["leases"][number]): Paths {
  return pathAt("", target.path);
}
