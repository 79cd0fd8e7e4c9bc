import { SvirtError } from "../../../errors.ts";
import type { Instance } from "../../../state/instance.ts";
import {
  getDomainCapabilities,
  getHostCapabilities,
  getHostSecurityModel,
  getMostVcpus,
  listCpuModels,
} from "../../../vm/capabilities/capabilities.ts";
import { checkArch } from "../../../vm/capabilities/check-arch.ts";
import { getHostFacts, getHostQemuVersion } from "../../../vm/host/description.ts";
import { listFreeMemory } from "../../../vm/host/memory.ts";
import { countHostProcessors, getProcessorMap } from "../../../vm/host/processors.ts";
import { chars, countedBytes, countedChars, int, struct, uhyper, uint } from "../../xdr/form.ts";
import { listing, listOf } from "../listing.ts";
import { aNumber, aText, bitsOf, maybeText, nothing, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";
import { guestType } from "./guest-type.ts";

/** Version of libvirt with this protocol and these answers: clients decide by it about their requests. */
const LIBVIRT_VERSION = 11_003_000n;
/** virNodeInfo.model of libvirt */
const MODEL_CHARS = 32;
/** REMOTE_SECURITY_MODEL_MAX and REMOTE_SECURITY_DOI_MAX of libvirt's remote_protocol.x */
const MOST_SECURITY_CHARS = 257;
const BYTES_PER_KIB = 1024n;
const BITS_PER_BYTE = 8;
/** REMOTE_CONNECT_CPU_MODELS_MAX of libvirt's remote_protocol.x */
const MOST_MODELS = 8192;
/** REMOTE_CPUMAP_MAX of libvirt's remote_protocol.x */
const MOST_MAP_BYTES = 2048;
/** A version as a number. virParseVersionString() of libvirt */
const [MAJOR, MINOR] = [1_000_000, 1000];
/** Virtual CPUs of a guest without KVM. qemuConnectGetMaxVcpus() of libvirt */
const EMULATED_VCPUS = 16;
/**
 * VIR_CONNECT_GET_DOMAIN_CAPABILITIES_DISABLE_DEPRECATED_FEATURES. It changes the host's model, not computed
 * by svirt.
 */
const WITHOUT_DEPRECATED = 1;
/** Procedures about the node and its hypervisor. */
export const nodeProcedures: readonly Procedure[] = [
  procedure({
    number: 3,
    api: "virConnectGetType",
    args: nothing,
    result: aText,
    run: () => ({ value: "QEMU" }),
  }),
  procedure({
    number: 4,
    api: "virConnectGetVersion",
    args: nothing,
    result: struct({ version: uhyper }),
    run: async ({ instance }) => ({ version: versionNumber(await getHostQemuVersion(instance)) }),
  }),
  procedure({
    number: 157,
    api: "virConnectGetLibVersion",
    args: nothing,
    result: struct({ version: uhyper }),
    run: () => ({ version: LIBVIRT_VERSION }),
  }),
  procedure({
    number: 5,
    api: "virConnectGetMaxVcpus",
    args: struct({ type: maybeText }),
    result: aNumber,
    run: async ({ args, instance }) => ({ value: await mostVcpus(instance, args.type) }),
  }),
  procedure({
    number: 6,
    api: "virNodeGetInfo",
    args: nothing,
    // virNodeInfo of libvirt
    result: struct({
      model: chars(MODEL_CHARS),
      memoryKiB: uhyper,
      cpus: int,
      mhz: int,
      cells: int,
      sockets: int,
      cores: int,
      threads: int,
    }),
    run({ instance }) {
      const facts = getHostFacts(instance);
      return { ...facts, mhz: facts.mhz ?? 0, memoryKiB: BigInt(facts.memoryKiB) };
    },
  }),
  procedure({
    number: 7,
    api: "virConnectGetCapabilities",
    args: nothing,
    result: aText,
    run: async ({ instance }) => ({ value: `${(await getHostCapabilities(instance)).xml}\n` }),
  }),
  procedure({
    number: 102,
    api: "virNodeGetFreeMemory",
    args: nothing,
    result: struct({ bytes: uhyper }),
    run({ instance }) {
      const [host] = listFreeMemory(instance, "host");
      return { bytes: BigInt(host?.freeKiB ?? 0) * BYTES_PER_KIB };
    },
  }),
  procedure({
    number: 293,
    api: "virNodeGetCPUMap",
    args: struct({ needsMap: int, needsOnline: int, flags: uint }),
    flags: { known: 0, refusedBy: "virHostCPUGetMap" },
    result: struct({ map: countedBytes(MOST_MAP_BYTES), online: uint, count: int }),
    run({ args, instance }) {
      const { online } = getProcessorMap(instance);
      const count = countHostProcessors(instance);
      const map = args.needsMap === 0 ? new Uint8Array() : bitsOf(online, Math.ceil(count / BITS_PER_BYTE));
      return { map, online: args.needsOnline === 0 ? 0 : online.length, count };
    },
  }),
  procedure({
    number: 122,
    api: "virNodeGetSecurityModel",
    args: nothing,
    result: struct({ model: countedChars(MOST_SECURITY_CHARS), doi: countedChars(MOST_SECURITY_CHARS) }),
    run({ instance }) {
      const { doi, model } = getHostSecurityModel(instance);
      return { model, doi };
    },
  }),
  procedure({
    number: 342,
    api: "virConnectGetDomainCapabilities",
    // It runs the client's emulator: CVE-2019-10167 of libvirt.
    args: struct({ emulator: maybeText, arch: maybeText, machine: maybeText, type: maybeText, flags: uint }),
    flags: { known: WITHOUT_DEPRECATED, refusedBy: "qemuConnectGetDomainCapabilities" },
    result: aText,
    async run({ args, instance }) {
      const { arch, emulator, machine } = args;
      const type = guestType(args.type);
      checkArch(arch, emulator);
      const { xml } = await getDomainCapabilities(instance, { emulator, machine, type });
      return { value: `${xml}\n` };
    },
  }),
  procedure({
    number: 312,
    api: "virConnectGetCPUModelNames",
    args: struct({ arch: text, needsResults: int, flags: uint }),
    flags: { known: 0, refusedBy: "qemuConnectGetCPUModelNames" },
    result: listing(text, MOST_MODELS),
    async run({ args, instance }) {
      return listOf(args, await listCpuModels(instance, args.arch));
    },
  }),
];

function versionNumber(version: string | undefined): bigint {
  const [major = 0, minor = 0, micro = 0] = (version ?? "").split(".").map(Number);
  return BigInt(major * MAJOR + minor * MINOR + micro);
}

async function mostVcpus(instance: Instance, type: string | undefined): Promise<number> {
  const asked = type?.toLowerCase() ?? "qemu";
  if (asked === "kvm") return await getMostVcpus(instance, "kvm");
  if (asked === "qemu") return EMULATED_VCPUS;
  throw new SvirtError(`invalid argument: unknown type '${type}'`, {
    kind: "usage",
    remedy: "Name kvm or qemu, or none.",
  });
}
