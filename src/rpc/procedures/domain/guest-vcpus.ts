import { cpuSet, type IdSet } from "../../../domain/forms/id-set.ts";
import { getGuestVcpus, MOST_GUEST_VCPUS, setGuestVcpus } from "../../../vm/guest-system/guest-vcpus.ts";
import { array, int, struct, uint } from "../../xdr/form.ts";
import { type TypedParameter, typedParameter } from "../../xdr/typed-parameter.ts";
import { aboutDomain, domain, keyOf, nothing, ofDomainWithFlags, text } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** REMOTE_DOMAIN_GUEST_VCPU_PARAMS_MAX of libvirt's remote_protocol.x */
const MOST_PARAMETERS = 64;

/** Procedures about the virtual CPUs that the system in a guest uses. Its agent is asked. */
export const guestVcpuProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(371, "virDomainGetGuestVcpus"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainGetGuestVcpus" },
    result: struct({ params: array(typedParameter, MOST_PARAMETERS) }),
    async run(call) {
      const found = Object.entries(await getGuestVcpus(call.instance, keyOf(call)));
      const params = found.map(
        ([field, ids]): TypedParameter => ({
          field,
          value: { type: "string", value: cpuSet.encode(ids) },
        }),
      );
      return { params };
    },
  }),
  procedure({
    ...aboutDomain(372, "virDomainSetGuestVcpus"),
    args: struct({ dom: domain, list: text, state: int, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainSetGuestVcpus" },
    result: nothing,
    async run(call) {
      const { list, state } = call.args;
      if (state !== 0 && state !== 1) throw invalidArgument("unsupported state value", "Give 0 or 1.");
      await setGuestVcpus(call.instance, keyOf(call), { ids: idsIn(list), isOnline: state === 1 });
      return {};
    },
  }),
];

function idsIn(list: string): IdSet {
  const ids = cpuSet.decode(list);
  if (ids?.every((id) => id < MOST_GUEST_VCPUS) === true) return ids;
  throw invalidArgument(`Failed to parse bitmap '${list}'`, `Name ${cpuSet.expects}.`);
}
