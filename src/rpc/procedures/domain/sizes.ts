import { cpuSet } from "../../../domain/forms/id-set.ts";
import { SvirtError } from "../../../errors.ts";
import { countGuestVcpus, setGuestVcpuCount } from "../../../vm/guest-system/guest-vcpus.ts";
import { getVcpuCount } from "../../../vm/query/vcpu-counts.ts";
import { listVcpuInfo } from "../../../vm/query/vcpu-info.ts";
import { setMemory, setMostMemory } from "../../../vm/tuning/set-memory.ts";
import { setVcpu } from "../../../vm/tuning/set-vcpu.ts";
import { setMostVcpus, setVcpus } from "../../../vm/tuning/set-vcpus.ts";
import { array, countedBytes, int, struct, uhyper, uint } from "../../xdr/form.ts";
import { AFFECTS, askOf, IMPACT_FLAGS, onlyOneOf, readAskOf, requireFlag } from "../impact.ts";
import {
  aboutDomain,
  aNumber,
  bitsOf,
  domain,
  domainKeys,
  foundBy,
  keyOf,
  nothing,
  ofDomainWithFlags,
  text,
} from "../objects.ts";
import { invalidArgument, notValid, type Procedure, procedure } from "../procedure.ts";

/** VIR_DOMAIN_MEM_MAXIMUM and VIR_DOMAIN_VCPU_MAXIMUM of libvirt's libvirt-domain.h */
const MAXIMUM = 4;
/** VIR_DOMAIN_VCPU_GUEST and VIR_DOMAIN_VCPU_HOTPLUGGABLE */
const [GUEST, HOTPLUGGABLE] = [8, 16];
/** Maximum number of vCPUs of any machine type of QEMU. */
const MOST_VCPUS = 4096;
/** REMOTE_VCPUINFO_MAX and REMOTE_CPUMAPS_MAX of libvirt's remote_protocol.x */
const [MOST_INFO, MOST_MAP_BYTES] = [16_384, 8_388_608];
/** VIR_VCPU_RUNNING of virVcpuState */
const RUNNING = 1;

const memoryArguments = struct({ dom: domain, kiB: uhyper });

/** Procedures about the memory and the virtual CPUs of a domain. */
export const sizeProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(31, "virDomainSetMemory"),
    args: memoryArguments,
    result: nothing,
    async run(call) {
      await setMemory(call.instance, askOf(call, AFFECTS.live), sizeIn(call.args.kiB));
      return {};
    },
  }),
  procedure({
    ...aboutDomain(30, "virDomainSetMaxMemory"),
    args: memoryArguments,
    result: nothing,
    async run(call) {
      await setMostMemory(call.instance, askOf(call, 0), sizeIn(call.args.kiB));
      return {};
    },
  }),
  procedure({
    ...aboutDomain(204, "virDomainSetMemoryFlags"),
    args: struct({ dom: domain, kiB: uhyper, flags: uint }),
    flags: { known: IMPACT_FLAGS | MAXIMUM, refusedBy: "qemuDomainSetMemoryFlags" },
    result: nothing,
    async run(call) {
      const { flags, kiB } = call.args;
      const set = (flags & MAXIMUM) === 0 ? setMemory : setMostMemory;
      await set(call.instance, askOf(call, flags), sizeIn(kiB));
      return {};
    },
  }),
  procedure({
    ...aboutDomain(32, "virDomainSetVcpus"),
    args: struct({ dom: domain, count: uint }),
    result: nothing,
    async run(call) {
      const ask = { ...askOf(call, AFFECTS.live), isHotpluggable: false };
      await setVcpus(call.instance, ask, countIn(call.args.count));
      return {};
    },
  }),
  procedure({
    ...aboutDomain(199, "virDomainSetVcpusFlags"),
    args: struct({ dom: domain, count: uint, flags: uint }),
    flags: { known: IMPACT_FLAGS | MAXIMUM | GUEST | HOTPLUGGABLE, refusedBy: "qemuDomainSetVcpusFlags" },
    result: nothing,
    async run(call) {
      const { count, flags } = call.args;
      const config = [AFFECTS.config, "VIR_DOMAIN_AFFECT_CONFIG"] as const;
      requireFlag(flags, [MAXIMUM, "VIR_DOMAIN_VCPU_MAXIMUM"], config);
      onlyOneOf(flags, [GUEST, "VIR_DOMAIN_VCPU_GUEST"], config);
      if ((flags & GUEST) !== 0) await setGuestVcpuCount(call.instance, keyOf(call), countIn(count));
      else if ((flags & MAXIMUM) !== 0) await setMostVcpus(call.instance, askOf(call, flags), countIn(count));
      else
        await setVcpus(
          call.instance,
          { ...askOf(call, flags), isHotpluggable: (flags & HOTPLUGGABLE) !== 0 },
          countIn(count),
        );
      return {};
    },
  }),
  procedure({
    ...aboutDomain(384, "virDomainSetVcpu"),
    args: struct({ dom: domain, list: text, state: int, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetVcpu" },
    result: nothing,
    async run(call) {
      const { flags, list, state } = call.args;
      if (state !== 0 && state !== 1) throw invalidArgument("unsupported state value", "Give 0 or 1.");
      const ids = cpuSet.decode(list);
      if (ids === undefined) {
        throw invalidArgument(`Failed to parse bitmap '${list}'`, `Name ${cpuSet.expects}.`);
      }
      await setVcpu(call.instance, askOf(call, flags), { ids, isEnabled: state === 1 });
      return {};
    },
  }),
  procedure({
    number: 200,
    api: "virDomainGetVcpusFlags",
    recovers: domainKeys,
    args: ofDomainWithFlags,
    flags: { known: IMPACT_FLAGS | MAXIMUM | GUEST, refusedBy: "qemuDomainGetVcpusFlags" },
    result: aNumber,
    alsoUses: ({ flags }) =>
      (flags & GUEST) === 0 ? undefined : "virDomainGetVcpusFlags by the guest's agent",
    async run(call) {
      const { flags } = call.args;
      const { key, options } = readAskOf(call, flags);
      const what = (flags & MAXIMUM) === 0 ? "current" : "maximum";
      if ((flags & GUEST) !== 0) return { value: await countGuestVcpus(call.instance, keyOf(call), what) };
      return { value: await getVcpuCount(call.instance, key, { what, options }) };
    },
  }),
  procedure({
    number: 20,
    api: "virDomainGetVcpus",
    recovers: domainKeys,
    args: struct({ dom: domain, most: int, mapBytes: int }),
    result: struct({
      // virVcpuInfo of libvirt
      info: array(struct({ number: uint, state: int, cpuNs: uhyper, processor: int }), MOST_INFO),
      maps: countedBytes(MOST_MAP_BYTES),
    }),
    async run(call) {
      const { mapBytes, most } = call.args;
      refuseLarge(most, mapBytes);
      const { guest, uuid } = foundBy(call.instance, call.args.dom);
      if (guest === undefined) throw notValid("cannot retrieve vcpu information on inactive domain");
      const all = await listVcpuInfo(call.instance, uuid);
      const known = all.flatMap(({ running, ...one }) =>
        running === undefined ? [] : [{ ...one, ...running }],
      );
      const shown = known.slice(0, most);
      const maps = new Uint8Array(shown.length * mapBytes);
      for (const [at, { affinity }] of shown.entries()) maps.set(bitsOf(affinity, mapBytes), at * mapBytes);
      return {
        info: shown.map(({ cpuNs, number, processor }) => ({
          number,
          state: RUNNING,
          cpuNs: BigInt(cpuNs),
          processor,
        })),
        maps,
      };
    },
  }),
];

/** Returns a size in KiB as use cases read it. */
function sizeIn(kiB: bigint): string {
  if (kiB > 0n) return String(kiB);
  throw refused("memory must not be zero", "Give a size in KiB.");
}

function countIn(count: number): number {
  if (count >= 1 && count <= MOST_VCPUS) return count;
  throw refused(`the number of virtual CPUs is ${count}`, `Give a number from 1 to ${MOST_VCPUS}.`);
}

/** remoteDispatchDomainGetVcpus() of libvirt */
function refuseLarge(most: number, mapBytes: number): void {
  if (most >= 0 && most <= MOST_INFO && mapBytes >= 0 && most * mapBytes <= MOST_MAP_BYTES) return;
  throw refused("maxinfo * maplen > REMOTE_CPUMAPS_MAX", "Ask for fewer virtual CPUs at once.");
}

function refused(why: string, remedy: string): SvirtError {
  return new SvirtError(`invalid argument: ${why}`, { kind: "usage", remedy });
}
