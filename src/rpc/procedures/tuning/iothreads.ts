import type { Domain } from "../../../domain/domain.ts";
import {
  IOTHREAD_PARAMETERS,
  type IothreadValues,
  replaceIothreadPin,
} from "../../../domain/edits/iothreads.ts";
import { addIothread, removeIothread, setIothread } from "../../../vm/tuning/change-iothreads.ts";
import { changeShares } from "../../../vm/tuning/change-limits.ts";
import { array, countedBytes, struct, uint } from "../../xdr/form.ts";
import { type TypedValue, typedParameter } from "../../xdr/typed-parameter.ts";
import { askOf, IMPACT_FLAGS } from "../impact.ts";
import { aboutDomain, domain, idsOf, nothing } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";
import { valuesOf } from "./parameters.ts";

/** REMOTE_CPUMAP_MAX and REMOTE_DOMAIN_IOTHREAD_PARAMS_MAX of libvirt's remote_protocol.x */
const [MAP_BYTES, MOST_PARAMETERS] = [2048, 64];

const ofThread = struct({ dom: domain, id: uint, flags: uint });

/** Types of libvirt's parameters: the time in 64 bits, factors without a sign, sizes with a sign. */
const TYPES: ReadonlyMap<string, TypedValue["type"]> = new Map([
  ["poll_max_ns", "ullong"],
  ["poll_grow", "uint"],
  ["poll_shrink", "uint"],
  ["thread_pool_min", "int"],
  ["thread_pool_max", "int"],
]);

/** Procedures changing the I/O threads of a domain. */
export const iothreadProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(352, "virDomainPinIOThread"),
    args: struct({ dom: domain, id: uint, map: countedBytes(MAP_BYTES), flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainPinIOThread" },
    result: nothing,
    async run(call) {
      const { flags, id, map } = call.args;
      const cpus = idsOf(map);
      if (cpus.length === 0)
        throw invalidArgument("Empty iothread cpumap list for pinning", "Name at least one processor.");
      await changeShares(call.instance, askOf(call, flags), {
        what: `pin the I/O thread ${id}`,
        change: (before: Domain) => replaceIothreadPin(before, id, cpus),
      });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(355, "virDomainAddIOThread"),
    args: ofThread,
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainAddIOThread" },
    result: nothing,
    async run(call) {
      await addIothread(call.instance, askOf(call, call.args.flags), call.args.id);
      return {};
    },
  }),
  procedure({
    ...aboutDomain(356, "virDomainDelIOThread"),
    args: ofThread,
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainDelIOThread" },
    result: nothing,
    async run(call) {
      await removeIothread(call.instance, askOf(call, call.args.flags), call.args.id);
      return {};
    },
  }),
  procedure({
    ...aboutDomain(402, "virDomainSetIOThreadParams"),
    args: struct({ dom: domain, id: uint, params: array(typedParameter, MOST_PARAMETERS), flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetIOThreadParams" },
    result: nothing,
    async run(call) {
      const { flags, id, params } = call.args;
      const given = valuesOf(params, TYPES);
      const values: IothreadValues = Object.fromEntries(
        IOTHREAD_PARAMETERS.flatMap(([name, key]) => {
          const value = given.get(name);
          return value === undefined ? [] : [[key, Number(value)]];
        }),
      );
      await setIothread(call.instance, askOf(call, flags), { id, values });
      return {};
    },
  }),
];
