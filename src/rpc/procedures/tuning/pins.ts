import type { Domain } from "../../../domain/domain.ts";
import { replaceEmulatorPin, replaceVcpuPin } from "../../../domain/edits/tuning.ts";
import { changeShares } from "../../../vm/tuning/change-limits.ts";
import { listIothreadInfo } from "../../../vm/tuning/iothread-info.ts";
import { getEmulatorPin, listVcpuPins } from "../../../vm/tuning/pins.ts";
import { array, countedBytes, int, struct, uint } from "../../xdr/form.ts";
import { AFFECTS, askOf, IMPACT_FLAGS, readAskOf } from "../impact.ts";
import {
  aboutDomain,
  bitsOf,
  domain,
  idsOf,
  nothing,
  ofDomainWithFlags,
  type RemoteDomain,
} from "../objects.ts";
import { invalidArgument, type Procedure, procedure, type RemoteCall } from "../procedure.ts";

/** REMOTE_CPUMAP_MAX, REMOTE_VCPUINFO_MAX and REMOTE_CPUMAPS_MAX of libvirt's remote_protocol.x */
const [MAP_BYTES, MOST_MAPS, MAPS_BYTES] = [2048, 16_384, 8_388_608];

/** REMOTE_IOTHREAD_INFO_MAX of libvirt's remote_protocol.x */
const MOST_THREADS = 16_384;

const map = countedBytes(MAP_BYTES);
const pinned = { dom: domain, vcpu: uint, map };

/** Procedures showing and setting the processors of a domain's threads. */
export const pinProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(26, "virDomainPinVcpu"),
    args: struct(pinned),
    result: nothing,
    run: async (call) => await pinVcpu(call, AFFECTS.live),
  }),
  procedure({
    ...aboutDomain(225, "virDomainPinVcpuFlags"),
    args: struct({ ...pinned, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainPinVcpuFlags" },
    result: nothing,
    run: async (call) => await pinVcpu(call, call.args.flags),
  }),
  procedure({
    ...aboutDomain(230, "virDomainGetVcpuPinInfo"),
    args: struct({ dom: domain, most: int, mapBytes: int, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainGetVcpuPinInfo" },
    result: struct({ maps: countedBytes(MAPS_BYTES), count: int }),
    run(call) {
      const { flags, mapBytes, most } = call.args;
      refuseLarge(most, mapBytes);
      const pins = listVcpuPins(call.instance, readAskOf(call, flags), undefined).slice(0, most);
      const maps = new Uint8Array(most * mapBytes);
      for (const [at, { cpus }] of pins.entries()) maps.set(bitsOf(cpus, mapBytes), at * mapBytes);
      return { maps, count: pins.length };
    },
  }),
  procedure({
    ...aboutDomain(279, "virDomainPinEmulator"),
    args: struct({ dom: domain, map, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainPinEmulator" },
    result: nothing,
    async run(call) {
      const cpus = processorsIn(call.args.map);
      await changeShares(call.instance, askOf(call, call.args.flags), {
        what: "pin the emulator",
        change: (before) => replaceEmulatorPin(before, cpus),
      });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(280, "virDomainGetEmulatorPinInfo"),
    args: struct({ dom: domain, mapBytes: int, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainGetEmulatorPinInfo" },
    result: struct({ map: countedBytes(MAPS_BYTES), count: int }),
    run(call) {
      const { flags, mapBytes } = call.args;
      refuseLarge(1, mapBytes);
      return { map: bitsOf(getEmulatorPin(call.instance, readAskOf(call, flags)), mapBytes), count: 1 };
    },
  }),
  procedure({
    ...aboutDomain(351, "virDomainGetIOThreadInfo"),
    args: ofDomainWithFlags,
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainGetIOThreadInfo" },
    result: struct({ info: array(struct({ id: uint, map }), MOST_THREADS), count: uint }),
    async run(call) {
      const found = await listIothreadInfo(call.instance, readAskOf(call, call.args.flags));
      const info = found.map(({ cpus, id }) => ({ id, map: bitsOf(cpus, bytesFor(cpus)) }));
      return { info, count: info.length };
    },
  }),
];

/** Returns the length of a map that has its highest processor. virBitmapToData() of libvirt */
function bytesFor(cpus: readonly number[]): number {
  return ((cpus.at(-1) ?? 0) >> 3) + 1;
}

async function pinVcpu(
  call: RemoteCall<{ readonly dom: RemoteDomain; readonly vcpu: number; readonly map: Uint8Array }>,
  flags: number,
): Promise<Record<never, never>> {
  const cpus = processorsIn(call.args.map);
  const { vcpu } = call.args;
  await changeShares(call.instance, askOf(call, flags), {
    what: `pin vcpu ${vcpu}`,
    change: (before: Domain) => replaceVcpuPin(before, vcpu, cpus),
  });
  return {};
}

/** qemuDomainPinVcpuFlags() of libvirt */
function processorsIn(bytes: Uint8Array): readonly number[] {
  const cpus = idsOf(bytes);
  if (cpus.length > 0) return cpus;
  throw invalidArgument("Empty cpu list for pinning", "Name at least one processor.");
}

/** remoteDispatchDomainGetVcpuPinInfo() of libvirt */
function refuseLarge(most: number, mapBytes: number): void {
  if (most >= 0 && most <= MOST_MAPS && mapBytes >= 0 && most * mapBytes <= MAPS_BYTES) return;
  throw invalidArgument("maxinfo * maplen > REMOTE_CPUMAPS_MAX", "Ask for fewer virtual CPUs at once.");
}
