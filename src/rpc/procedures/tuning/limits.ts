import type { ApiUse } from "../../../access/uses.ts";
import type { Domain } from "../../../domain/domain.ts";
import {
  type DeviceLimit,
  parseDeviceShares,
  replaceBlkiotune,
  replaceCputune,
  replaceMemtune,
  SCHEDULER_PARAMETERS,
} from "../../../domain/edits/tuning.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Ask } from "../../../vm/change/change-domain.ts";
import { changeBandwidth, type RateChange, readBandwidth } from "../../../vm/hotplug/bandwidth.ts";
import { changeShares } from "../../../vm/tuning/change-limits.ts";
import {
  type CpuShares,
  readCpuShares,
  readDiskShares,
  readMemoryLimits,
} from "../../../vm/tuning/read-limits.ts";
import { int, struct, uint } from "../../xdr/form.ts";
import type { TypedParameter, TypedValue } from "../../xdr/typed-parameter.ts";
import { askOf, IMPACT_FLAGS, readAskOf } from "../impact.ts";
import { aboutDomain, domain, keyOf, nothing, ofDomain, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";
import { type Given, parameters, roomFor, valuesOf } from "./parameters.ts";

/**
 * VIR_TYPED_PARAM_STRING_OKAY of libvirt's libvirt-common.h, with the flags that select a form of the domain.
 */
const READ_FLAGS = IMPACT_FLAGS | 4;

/** Parameters of a subject with their types, in libvirt's order, and their use cases. */
interface Subject {
  readonly types: ReadonlyMap<string, TypedValue["type"]>;
  read(instance: Instance, ask: Ask): readonly TypedParameter[];
  /** Description of a change, such as `limit memory`. */
  readonly what: string;
  change(domain: Domain, given: Given): Domain;
}

const MEMORY = [
  ["hard_limit", "hardKiB", "hardLimitKiB"],
  ["soft_limit", "softKiB", "softLimitKiB"],
  ["swap_hard_limit", "swapHardKiB", "swapHardLimitKiB"],
] as const;

const memory: Subject = {
  types: new Map(MEMORY.map(([name]) => [name, "ullong"])),
  read(instance, ask) {
    const limits = readMemoryLimits(instance, ask);
    return MEMORY.map(([name, key]) => number(name, "ullong", limits[key] ?? Number.MAX_SAFE_INTEGER));
  },
  what: "limit memory",
  change: (before, given) => replaceMemtune(before, fieldsOf(given, MEMORY, 2)),
};

const DISK_LIMITS: readonly (readonly [name: string, limit: DeviceLimit])[] = [
  ["device_weight", "weight"],
  ["device_read_iops_sec", "readOperations"],
  ["device_write_iops_sec", "writeOperations"],
  ["device_read_bytes_sec", "readBytes"],
  ["device_write_bytes_sec", "writeBytes"],
];

const disks: Subject = {
  types: new Map([["weight", "uint"], ...DISK_LIMITS.map(([name]) => [name, "string"] as const)]),
  read(instance, ask) {
    const { devices, weight = 0 } = readDiskShares(instance, ask);
    const list = (limit: DeviceLimit): string =>
      devices
        .flatMap((device) => (device[limit] === undefined ? [] : [`${device.path},${device[limit]}`]))
        .join(",");
    return [
      number("weight", "uint", weight),
      ...DISK_LIMITS.map(
        ([field, limit]): TypedParameter => ({ field, value: { type: "string", value: list(limit) } }),
      ),
    ];
  },
  what: "limit disks",
  change(before, given) {
    const weight = given.get("weight");
    const devices = DISK_LIMITS.flatMap(([name, limit]) => {
      const list = given.get(name) ?? "";
      return list === "" ? [] : parseDeviceShares(String(list)).map((device) => ({ ...device, limit }));
    });
    return replaceBlkiotune(before, { weight: weight === undefined ? undefined : Number(weight), devices });
  },
};

const processors: Subject = {
  types: new Map(SCHEDULER_PARAMETERS.map(([name]) => [name, name.endsWith("quota") ? "llong" : "ullong"])),
  read(instance, ask) {
    const shares = readCpuShares(instance, ask);
    return SCHEDULER_PARAMETERS.map(([name]) => {
      const [who = "", what] = name.split("_");
      if (what === "shares") return number(name, "ullong", shares.shares);
      const { periodUs, quotaUs } = shares[who as Exclude<keyof CpuShares, "shares">];
      return what === "quota" ? number(name, "llong", quotaUs) : number(name, "ullong", periodUs);
    });
  },
  what: "share processors",
  change: (before, given) => replaceCputune(before, fieldsOf(given, SCHEDULER_PARAMETERS, 1)),
};

/** Parameters of an interface. VIR_DOMAIN_BANDWIDTH_IN_AVERAGE of libvirt's libvirt-domain.h and its like */
const RATES = [
  ...["inbound.average", "inbound.peak", "inbound.burst", "inbound.floor"],
  ...["outbound.average", "outbound.peak", "outbound.burst"],
];

/** Procedures showing and setting limits of the host's resources. */
export const limitProcedures: readonly Procedure[] = [
  reading(198, "virDomainGetMemoryParameters", memory),
  setting(197, "virDomainSetMemoryParameters", memory),
  reading(206, "virDomainGetBlkioParameters", disks),
  setting(205, "virDomainSetBlkioParameters", disks),
  setting(219, "virDomainSetSchedulerParametersFlags", processors),
  procedure({
    ...aboutDomain(56, "virDomainGetSchedulerType"),
    args: ofDomain,
    result: struct({ type: text, count: int }),
    run(call) {
      keyOf(call);
      return { type: "posix", count: SCHEDULER_PARAMETERS.length };
    },
  }),
  procedure({
    ...aboutDomain(57, "virDomainGetSchedulerParameters"),
    args: struct({ dom: domain, count: int }),
    result: struct({ params: parameters }),
    run(call) {
      const most = roomFor(call.args.count);
      return { params: processors.read(call.instance, askOf(call, 0)).slice(0, most) };
    },
  }),
  procedure({
    ...aboutDomain(223, "virDomainGetSchedulerParametersFlags"),
    args: struct({ dom: domain, count: int, flags: uint }),
    flags: { known: READ_FLAGS, refusedBy: "qemuDomainGetSchedulerParametersFlags" },
    result: struct({ params: parameters }),
    run(call) {
      const most = roomFor(call.args.count);
      return { params: processors.read(call.instance, readAskOf(call, call.args.flags)).slice(0, most) };
    },
  }),
  procedure({
    ...aboutDomain(58, "virDomainSetSchedulerParameters"),
    args: struct({ dom: domain, params: parameters }),
    result: nothing,
    async run(call) {
      await set(call.instance, askOf(call, 0), { subject: processors, params: call.args.params });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(257, "virDomainGetInterfaceParameters"),
    args: struct({ dom: domain, device: text, count: int, flags: uint }),
    flags: { known: READ_FLAGS, refusedBy: "qemuDomainGetInterfaceParameters" },
    result: struct({ params: parameters, count: int }),
    run(call) {
      const most = roomFor(call.args.count);
      const { args, instance } = call;
      const ask = readAskOf(call, args.flags);
      if (most === 0) return { params: [], count: RATES.length };
      const rates: Readonly<Record<string, Readonly<Record<string, number | undefined>> | undefined>> =
        readBandwidth(instance, ask, args.device);
      const params = RATES.map((name) => {
        const [side = "", field = ""] = name.split(".");
        return number(name, "uint", rates[side]?.[field] ?? 0);
      });
      return { params: params.slice(0, most), count: 0 };
    },
  }),
  procedure({
    ...aboutDomain(256, "virDomainSetInterfaceParameters"),
    args: struct({ dom: domain, device: text, params: parameters, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetInterfaceParameters" },
    result: nothing,
    async run(call) {
      const { device: name, flags, params } = call.args;
      const given = valuesOf(params, new Map(RATES.map((rate) => [rate, "uint"])));
      const change = { name, ...rateOf("inbound", given), ...rateOf("outbound", given) };
      await changeBandwidth(call.instance, askOf(call, flags), change);
      return {};
    },
  }),
];

/** Returns a changed side; without an average and a floor, its limit is removed if either is set. */
function rateOf(side: "inbound" | "outbound", given: Given): Partial<Record<typeof side, RateChange>> {
  const value = (field: keyof RateChange): number => Number(given.get(`${side}.${field}`) ?? 0);
  if (!given.has(`${side}.average`) && !given.has(`${side}.floor`)) return {};
  const rate = {
    average: value("average"),
    peak: value("peak"),
    burst: value("burst"),
    floor: value("floor"),
  };
  const isNone = rate.average === 0 && rate.floor === 0;
  return { [side]: isNone ? { average: 0, peak: 0, burst: 0, floor: 0 } : rate };
}

/**
 * Declares a procedure that returns the parameters of a subject, or their number if the client has no room.
 */
function reading(number: number, api: ApiUse, subject: Subject): Procedure {
  return procedure({
    ...aboutDomain(number, api),
    args: struct({ dom: domain, count: int, flags: uint }),
    flags: { known: READ_FLAGS, refusedBy: api.replace("vir", "qemu") },
    result: struct({ params: parameters, count: int }),
    run(call) {
      const most = roomFor(call.args.count);
      const ask = readAskOf(call, call.args.flags);
      if (most === 0) return { params: [], count: subject.types.size };
      return { params: subject.read(call.instance, ask).slice(0, most), count: 0 };
    },
  });
}

function setting(number: number, api: ApiUse, subject: Subject): Procedure {
  return procedure({
    ...aboutDomain(number, api),
    args: struct({ dom: domain, params: parameters, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: api.replace("vir", "qemu") },
    result: nothing,
    async run(call) {
      const { flags, params } = call.args;
      await set(call.instance, askOf(call, flags), { subject, params });
      return {};
    },
  });
}

async function set(
  instance: Instance,
  ask: Ask,
  { params, subject }: { readonly subject: Subject; readonly params: readonly TypedParameter[] },
): Promise<void> {
  const given = valuesOf(params, subject.types);
  await changeShares(instance, ask, {
    what: subject.what,
    change: (before) => subject.change(before, given),
  });
}

/** Returns the given values, by the fields of the XML's type at this place of a row. */
function fieldsOf(given: Given, rows: readonly (readonly string[])[], at: number): Record<string, number> {
  return Object.fromEntries(
    rows.flatMap((row) => {
      const value = given.get(row[0] ?? "");
      return value === undefined ? [] : [[row[at] ?? "", Number(value)]];
    }),
  );
}

function number(field: string, type: "uint" | "llong" | "ullong", value: number): TypedParameter {
  if (type === "uint") return { field, value: { type, value } };
  return { field, value: { type, value: BigInt(Math.round(value)) } };
}
