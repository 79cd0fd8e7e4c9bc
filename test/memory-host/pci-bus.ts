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

/**
 * PCI devices of the host and their drivers, read and changed by files of sysfs.
 * Documentation/ABI/testing/sysfs-bus-pci
 */
export class PciBus {
  readonly #machine: Machine;
  readonly #devices = new Map<string, PciOptions>();
  /** Each device has a way to be reset. */
  canReset = false;
  /** Devices that a program uses, whose drivers the kernel does not finish to unbind. */
  readonly #used = new Set<string>();
  /** Devices whose drivers are being unbound. */
  readonly #hung = new Set<string>();

  /** Processes in which the kernel waits, by their locks. */
  readonly waiting = new Map<string, number>();

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

  /** Lets a program use a device. */
  use(name: string): void {
    this.#used.add(name);
  }

  /** Ends the program that uses a device. The kernel finishes what waits for it. */
  endUse(name: string): void {
    this.#used.delete(name);
    if (this.#hung.delete(name)) this.unbind(name);
    this.waiting.clear();
  }

  /** Begins a process that takes a lock. Another one may have it only for a moment. */
  startProcess(lock: string): void {
    if (this.waiting.has(lock)) throw new Error(`a second process waits for ${lock}`);
  }

  /** Leaves a process with its lock, which no signal ends. */
  leaveProcess(lock: string): void {
    this.waiting.set(lock, 4000 + this.waiting.size);
  }

  /**
   * Reports whether access to a file of the bus waits for a program that uses the device. An unbinding
   * begins, and removes the link to the driver first. __device_release_driver() of Linux
   */
  keepsWaiting(path: string, value: string): boolean {
    const name = path.startsWith(`${DEVICES}/`)
      ? (path.slice(DEVICES.length + 1).split("/")[0] ?? "")
      : value;
    if (this.#hung.has(name)) return true;
    if (!path.endsWith("/driver/unbind") || !this.#used.has(name)) return false;
    this.#machine.files.remove(`${folderOf(name)}/driver`);
    this.#hung.add(name);
    return true;
  }

  /**
   * Writes a file of the bus. Returns false for a path elsewhere. Throws "host-call" if the kernel rejects
   * the write.
   */
  write(path: string, value: string): boolean {
    if (!path.startsWith(BUS)) return false;
    if (this.keepsWaiting(path, value)) throw new Error(`svirt hangs, and its locks with it: ${path}`);
    const name = path.slice(DEVICES.length + 1).split("/")[0] ?? "";
    if (path === `${folderOf(name)}/driver_override`) this.#override(name, value === "\n" ? "(null)" : value);
    else if (path === `${folderOf(name)}/driver/unbind` && value === name) this.unbind(name);
    else if (path === `${BUS}/drivers_probe`) this.#probe(value);
    else if (path === `${folderOf(name)}/reset` && value === "1" && this.canReset) return true;
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
