import { SvirtError } from "../../../errors.ts";
import { countHostProcessors } from "../../../vm/host/processors.ts";
import { getCpuTimes, notPerProcessor } from "../../../vm/query/cpu-times.ts";
import { type AddressSource, listAddresses } from "../../../vm/query/interface-addresses.ts";
import { array, int, struct, uint } from "../../xdr/form.ts";
import { type TypedParameter, typedParameter } from "../../xdr/typed-parameter.ts";
import { domain, domainKeys, keyOf, maybeText, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";
import { STRINGS } from "./one-domain.ts";

/** REMOTE_DOMAIN_GET_CPU_STATS_MAX of libvirt's remote_protocol.x */
const MOST_CPU = 2048;
/** Number of the processor for all of them. */
const TOTAL = -1;
/** REMOTE_DOMAIN_INTERFACE_MAX and REMOTE_DOMAIN_IP_ADDR_MAX of libvirt's remote_protocol.x */
const [MOST_INTERFACES, MOST_ADDRESSES] = [2048, 2048];
/** virDomainInterfaceAddressesSource of libvirt's libvirt-domain.h */
const SOURCES: readonly AddressSource[] = ["lease", "agent", "arp"];
/** virIPAddrType of libvirt's libvirt-network.h */
const ADDRESS_TYPES = { ipv4: 0, ipv6: 1 };

/** Procedures for the processor time and the addresses of a running domain. */
export const guestProcedures: readonly Procedure[] = [
  procedure({
    number: 262,
    api: "virDomainGetCPUStats",
    recovers: domainKeys,
    args: struct({ dom: domain, most: uint, firstCpu: int, cpus: uint, flags: uint }),
    flags: { known: STRINGS, refusedBy: "qemuDomainGetCPUStats" },
    result: struct({ params: array(typedParameter, MOST_CPU), count: int }),
    run(call) {
      const { cpus, firstCpu, most } = call.args;
      const { systemNs, userNs } = getCpuTimes(call.instance, keyOf(call));
      if (cpus === 0) return { params: [], count: countHostProcessors(call.instance) };
      if (firstCpu !== TOTAL) throw notPerProcessor();
      const all = [
        ullong("cpu_time", userNs + systemNs),
        ullong("user_time", userNs),
        ullong("system_time", systemNs),
      ];
      if (most === 0) return { params: [], count: all.length };
      const params = all.slice(0, most);
      return { params, count: params.length };
    },
  }),
  procedure({
    number: 353,
    api: "virDomainInterfaceAddresses",
    recovers: domainKeys,
    args: struct({ dom: domain, source: uint, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainInterfaceAddresses" },
    alsoUses: ({ source }) =>
      SOURCES[source] === "agent" ? "virDomainInterfaceAddresses by the guest's agent" : undefined,
    result: struct({
      interfaces: array(
        struct({
          name: text,
          mac: maybeText,
          addresses: array(struct({ type: int, address: text, prefix: uint }), MOST_ADDRESSES),
        }),
        MOST_INTERFACES,
      ),
    }),
    async run(call) {
      const source = SOURCES[call.args.source];
      if (source === undefined) throw unknownSource(call.args.source);
      const found = await listAddresses(call.instance, keyOf(call), { source, name: undefined });
      const interfaces = found.map(({ addresses, interface: name, mac }) => ({
        name,
        mac,
        addresses: addresses.map((one) => ({ ...one, type: ADDRESS_TYPES[one.type] })),
      }));
      return { interfaces };
    },
  }),
];

function ullong(field: string, value: number): TypedParameter {
  return { field, value: { type: "ullong", value: BigInt(value) } };
}

/** qemuDomainInterfaceAddresses() of libvirt */
function unknownSource(source: number): SvirtError {
  return new SvirtError(`argument unsupported: Unknown IP address data source ${source}`, {
    kind: "unsupported",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: "Ask for leases, the agent's or the neighbour table's addresses.",
  });
}
