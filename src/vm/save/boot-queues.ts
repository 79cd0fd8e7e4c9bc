import type { Controller } from "../../domain/devices/controller.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import { diskBus } from "../../domain/devices/disk/facts.ts";
import type { Domain } from "../../domain/domain.ts";
import type { GuestRecord } from "../../state/record.ts";

/**
 * Machine version from which a disk has as many queues as QEMU had virtual CPUs at its start. qemu.git
 * hw/core/machine.c hw_compat_5_1
 */
const FIRST_WITH_MANY = 5.2;

/**
 * Sets the number of queues of each disk with a default number, for a guest with virtual CPUs added since its
 * start. A QEMU started with all of them would make more queues and reject the state. qemu.git
 * hw/virtio/virtio-pci.c virtio_pci_optimal_num_queues()
 */
export function addBootQueues(
  domain: Domain,
  { steps }: Pick<GuestRecord, "steps">,
  machine: string | undefined,
): Domain {
  const queues = countBootVcpus(steps);
  const { count = 1, current = count } = domain.vcpu ?? {};
  if (queues === undefined || queues === current || !hasMany(machine ?? domain.os.type.machine))
    return domain;
  const disks = domain.devices.disks.map((disk) => addQueues(disk, diskBus(disk) === "virtio", queues));
  const controllers = domain.devices.controllers.map((found) =>
    addQueues(found, isVirtioScsi(found), queues),
  );
  return { ...domain, devices: { ...domain.devices, disks, controllers } };
}

function countBootVcpus(steps: GuestRecord["steps"]): number | undefined {
  const words = steps.find((step) => step.do === "spawn")?.order.words ?? [];
  const found = /^(\d+),/.exec(words[words.indexOf("-smp") + 1] ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

function hasMany(machine: string | undefined): boolean {
  const [, major, minor] = /-(\d+)\.(\d+)$/.exec(machine ?? "") ?? [];
  return major !== undefined && Number(`${major}.${minor}`) >= FIRST_WITH_MANY;
}

function isVirtioScsi(found: Controller): boolean {
  return found.type === "scsi" && found.model?.startsWith("virtio") === true;
}

function addQueues<Device extends Disk | Controller>(
  device: Device,
  hasQueues: boolean,
  queues: number,
): Device {
  const driver = "driver" in device ? device.driver : undefined;
  if (!hasQueues || (driver !== undefined && "queues" in driver && driver.queues !== undefined))
    return device;
  return { ...device, driver: { ...driver, queues } };
}
