import type { Domain } from "../domain.ts";
import { cpuSet, type IdSet } from "../forms/id-set.ts";
import { IOTUNE_PARAMETERS, type Iotune } from "./iotune.ts";
import { SCHEDULER_PARAMETERS } from "./tuning.ts";

/** A changed limit or pin, by libvirt's name. VIR_DOMAIN_TUNABLE_* of libvirt's libvirt-domain.h */
export interface Tunable {
  readonly field: string;
  readonly value: number | string;
}

/**
 * Returns the pins and shares of processors in which a running guest differs. A thread without a pin may run
 * on all of `online`.
 */
export function listTunables(before: Domain, after: Domain, online: IdSet): readonly Tunable[] {
  const was = new Map(tunablesOf(before, online).map(({ field, value }) => [field, value]));
  const is = tunablesOf(after, online);
  const unpinned = [...was.keys()].flatMap((field) =>
    field.includes("pin") && !is.some((one) => one.field === field)
      ? [{ field, value: cpuSet.encode(online) }]
      : [],
  );
  return [...is.filter(({ field, value }) => was.get(field) !== value), ...unpinned];
}

function tunablesOf({ cputune }: Domain, online: IdSet): readonly Tunable[] {
  if (cputune === undefined) return [];
  const { emulatorpin, iothreadpins, vcpupins } = cputune;
  const pin = (field: string, cpus: IdSet = online): Tunable => ({
    field: `cputune.${field}`,
    value: cpuSet.encode(cpus),
  });
  return [
    ...vcpupins.map(({ cpuset, vcpu }) => pin(`vcpupin${vcpu}`, cpuset)),
    ...(emulatorpin === undefined ? [] : [pin("emulatorpin", emulatorpin.cpuset)]),
    ...iothreadpins.map(({ cpuset, iothread }) => pin(`iothreadpin${iothread}`, cpuset)),
    ...SCHEDULER_PARAMETERS.flatMap(([name, key]) => {
      const value = cputune[key];
      return value === undefined ? [] : [{ field: `cputune.${name}`, value }];
    }),
  ];
}

/** Returns the limits that are given for a disk, after its name. qemuDomainSetBlockIoTune() of libvirt */
export function listDiskTunables(disk: string, limits: Partial<Iotune>): readonly Tunable[] {
  return [
    { field: "blkdeviotune.disk", value: disk },
    ...IOTUNE_PARAMETERS.flatMap(([name, key]) => {
      const value = limits[key];
      return value === undefined ? [] : [{ field: `blkdeviotune.${name}`, value }];
    }),
  ];
}
