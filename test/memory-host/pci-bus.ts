import { hostCall } from "./file-tree.ts";
import type { Machine } from "./machine.ts";

const BUS = "/sys/bus/pci";
const DEVICES = `${BUS}/devices`;
/** Names of the drivers that keep a device for guests. */
const FOR_GUESTS = /vfio[-_]pci/;
const LABEL = "security.selinux";

/** A PCI device with its IOMMU group and drivers. */
export interface PciOptions {
  readonly name: string;
  readonly group: string;
  /** Driver that is bound to the device now. */
  readonly driver?: string;
  /** Driver that the kernel chooses for the device. */
  readonly match?: string;
}

/** PCI devices of the host and their drivers, read and changed by files of sysfs. Documentation/ABI/testing/sysfs-bus-pci */
export class PciBus {
  readonly #machine: Machine;
  readonly #devices = new Map<string, PciOptions>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  put(options: PciOptions): void {
    const { files } = this.#machine;
    const { driver, group, match, name } = options;
    this.#devices.set(name, { ...options, ...(match === undefined ? {} : { match }) });
    files.putFolder(folderOf(name));
    files.putFolder(`/sys/kernel/iommu_groups/${group}/devices/${name}`);
    files.put(`${folderOf(name)}/iommu_group`, "symlink", { target: `/sys/kernel/iommu_groups/${group}` });
    this.#override(name, "(null)");
    this.unbind(name);
    if (driver !== undefined) this.bind(name, driver);
  }

  driverOf(name: string): string | undefined {
    return this.#machine.files.find(`${folderOf(name)}/driver`)?.path.replace(/^.*\//, "");
  }

  /** Writes a file of the bus. Returns false for a path elsewhere. Throws "host-call" if the kernel rejects the write. */
  write(path: string, value: string): boolean {
    if (!path.startsWith(BUS)) return false;
    const name = path.slice(DEVICES.length + 1).split("/")[0] ?? "";
    if (path === `${folderOf(name)}/driver_override`) this.#override(name, value === "\n" ? "(null)" : value);
    else if (path === `${folderOf(name)}/driver/unbind` && value === name) this.unbind(name);
    else if (path === `${BUS}/drivers_probe`) this.#probe(value);
    else throw hostCall(`write ${value} to ${path}`, "EINVAL: invalid argument");
    return true;
  }

  bind(name: string, driver: string): void {
    const { files } = this.#machine;
    files.putFolder(`${BUS}/drivers/${driver}`);
    files.put(`${folderOf(name)}/driver`, "symlink", { target: `${BUS}/drivers/${driver}` });
    if (FOR_GUESTS.test(driver)) this.#showGroup(name);
  }

  unbind(name: string): void {
    const { files } = this.#machine;
    const group = this.#devices.get(name)?.group;
    files.remove(`${folderOf(name)}/driver`);
    const others = [...this.#devices.values()].filter((other) => other.group === group);
    if (others.every((other) => !FOR_GUESTS.test(this.driverOf(other.name) ?? "")))
      files.remove(nodeOf(group));
  }

  /** Binds each device to the driver that the kernel chooses, as at boot. */
  reset(): void {
    for (const { name } of this.#devices.values()) {
      this.#override(name, "(null)");
      this.unbind(name);
      this.#probe(name);
    }
  }

  #probe(name: string): void {
    const { files } = this.#machine;
    if (this.driverOf(name) !== undefined) return;
    const override = new TextDecoder().decode(files.get(`${folderOf(name)}/driver_override`).bytes);
    const driver = override === "(null)" ? this.#devices.get(name)?.match : override;
    if (driver !== undefined && files.find(`${BUS}/drivers/${driver}`) !== undefined) this.bind(name, driver);
  }

  #override(name: string, driver: string): void {
    const bytes = new TextEncoder().encode(driver);
    this.#machine.files.put(`${folderOf(name)}/driver_override`, "file", { bytes });
  }

  #showGroup(name: string): void {
    const { files } = this.#machine;
    const group = this.#devices.get(name)?.group;
    files.putFolder("/dev/vfio");
    if (files.find(nodeOf(group)) !== undefined) return;
    const made = files.put(nodeOf(group), "character", { node: `244:${group}`, mode: 0o600 });
    made.xattrs.set(LABEL, "system_u:object_r:vfio_device_t:s0");
  }
}

function folderOf(name: string): string {
  return `${DEVICES}/${name}`;
}

function nodeOf(group: string | undefined): string {
  return `/dev/vfio/${group}`;
}
