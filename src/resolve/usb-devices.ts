import type { HostDevice, HostDeviceOf } from "../domain/devices/hostdev.ts";
import type { Domain } from "../domain/domain.ts";
import { usbNode } from "../domain/resources/passthrough-paths.ts";
import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";

type UsbHostdev = HostDeviceOf<"usb">;

/** USB device of the host. */
interface UsbDevice {
  readonly vendor: number;
  readonly product: number;
  readonly bus: number;
  readonly device: number;
}

const DEVICES = "/sys/bus/usb/devices";

/**
 * Adds the address of each USB device of the host: a new plug changes it. Removes a missing device if its XML
 * allows it. Throws "not-found"; "unsupported" if several devices match. libvirt virHostdevFindUSBDevice()
 */
export function bindUsbDevices(host: Host, domain: Domain): Domain {
  const { devices } = domain;
  if (!devices.hostdevs.some(({ type }) => type === "usb")) return domain;
  const found = listUsb(host);
  const hostdevs = devices.hostdevs.flatMap((device): readonly HostDevice[] =>
    device.type === "usb" ? bindFound(device, found) : [device],
  );
  return { ...domain, devices: { ...devices, hostdevs } };
}

/** Adds the address of a USB device. Throws "not-found", "unsupported". */
export function bindUsbDevice(host: Host, hostdev: UsbHostdev): UsbHostdev {
  const { startupPolicy: _, ...source } = hostdev.source;
  const [found] = bindFound({ ...hostdev, source }, listUsb(host));
  if (found === undefined) return hostdev;
  return { ...found, source: { ...hostdev.source, ...found.source } };
}

function bindFound(hostdev: UsbHostdev, found: readonly UsbDevice[]): readonly UsbHostdev[] {
  const { source } = hostdev;
  const meant = found.filter((device) => isMeant(source, device));
  const [first, second] = meant;
  if (second !== undefined) {
    throw new SvirtError(`Cannot choose a USB device: Multiple USB devices for ${nameOf(source)}`, {
      kind: "unsupported",
      remedy: `Write <address bus='…' device='…'/>, one of ${meant.map((each) => `${each.bus}/${each.device}`).join(", ")}.`,
    });
  }
  if (first === undefined) {
    if (source.startupPolicy === "optional" || source.startupPolicy === "requisite") return [];
    throw new SvirtError(`Cannot find the USB device ${nameOf(source)} on the host`, {
      kind: "not-found",
      remedy: "Plug it in, correct the XML (lsusb lists the devices), or write startupPolicy='optional'.",
    });
  }
  return [{ ...hostdev, source: { ...source, address: { bus: first.bus, device: first.device } } }];
}

function isMeant({ address, product, vendor }: UsbHostdev["source"], device: UsbDevice): boolean {
  return (
    (vendor === undefined || vendor.id === device.vendor) &&
    (product === undefined || product.id === device.product) &&
    (address === undefined || (address.bus === device.bus && address.device === device.device))
  );
}

function nameOf({ address, product, vendor }: UsbHostdev["source"]): string {
  const digits = (id = 0): string => id.toString(16).padStart(4, "0");
  const ids = vendor === undefined ? [] : [`${digits(vendor.id)}:${digits(product?.id)}`];
  return [...ids, ...(address === undefined ? [] : [usbNode(address) ?? ""])].join(" at ");
}

function listUsb(host: Host): readonly UsbDevice[] {
  return host.listFolder(DEVICES).flatMap((name) => {
    const read = (field: string, base: number): number =>
      Number.parseInt(host.readText(`${DEVICES}/${name}/${field}`) ?? "", base);
    const device = {
      vendor: read("idVendor", 16),
      product: read("idProduct", 16),
      bus: read("busnum", 10),
      device: read("devnum", 10),
    };
    // The folder also lists interfaces of devices, without such numbers.
    return Object.values(device).some(Number.isNaN) ? [] : [device];
  });
}
