import { NUMA_MODES } from "../../../domain/edits/numatune.ts";
import { cpuSet, hostNodes, type IdSet } from "../../../domain/forms/id-set.ts";
import type { NumaMode } from "../../../domain/machine/numatune.ts";
import { changeNumatune, readNumatune } from "../../../vm/tuning/numa.ts";
import { int, struct, uint } from "../../xdr/form.ts";
import type { TypedParameter, TypedValue } from "../../xdr/typed-parameter.ts";
import { askOf, IMPACT_FLAGS, readAskOf } from "../impact.ts";
import { aboutDomain, domain, nothing } from "../objects.ts";
import { invalidArgument, notValid, type Procedure, procedure } from "../procedure.ts";
import { parameters, roomFor, valuesOf } from "./parameters.ts";

/**
 * VIR_TYPED_PARAM_STRING_OKAY of libvirt's libvirt-common.h, with the flags that select a form of the domain.
 */
const READ_FLAGS = IMPACT_FLAGS | 4;

/** VIR_DOMAIN_NUMA_MODE and VIR_DOMAIN_NUMA_NODESET of libvirt's libvirt-domain.h */
const [MODE, NODES] = ["numa_mode", "numa_nodeset"];
const TYPES: ReadonlyMap<string, TypedValue["type"]> = new Map([
  [MODE, "int"],
  [NODES, "string"],
]);

/** Procedures showing and setting the host's NUMA nodes for a domain's memory. */
export const numaProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(254, "virDomainSetNumaParameters"),
    args: struct({ dom: domain, params: parameters, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetNumaParameters" },
    result: nothing,
    async run(call) {
      const given = valuesOf(call.args.params, TYPES);
      const [mode, nodes] = [given.get(MODE), given.get(NODES)];
      await changeNumatune(call.instance, askOf(call, call.args.flags), {
        ...(mode === undefined ? {} : { mode: modeOf(Number(mode)) }),
        ...(nodes === undefined ? {} : { nodes: nodesIn(String(nodes)) }),
      });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(255, "virDomainGetNumaParameters"),
    args: struct({ dom: domain, count: int, flags: uint }),
    flags: { known: READ_FLAGS, refusedBy: "qemuDomainGetNumaParameters" },
    result: struct({ params: parameters, count: int }),
    run(call) {
      const most = roomFor(call.args.count);
      const ask = readAskOf(call, call.args.flags);
      if (most === 0) return { params: [], count: TYPES.size };
      const { mode, nodes } = readNumatune(call.instance, ask);
      const params: readonly TypedParameter[] = [
        { field: MODE, value: { type: "int", value: NUMA_MODES.indexOf(mode) } },
        { field: NODES, value: { type: "string", value: cpuSet.encode(nodes) } },
      ];
      return { params: params.slice(0, most), count: 0 };
    },
  }),
];

function modeOf(number: number): NumaMode {
  const mode = NUMA_MODES[number];
  if (mode !== undefined) return mode;
  throw invalidArgument(
    `unsupported numatune mode: '${number}'`,
    `Give a number below ${NUMA_MODES.length}.`,
  );
}

function nodesIn(text: string): IdSet {
  const nodes = hostNodes.decode(text);
  if (nodes !== undefined && nodes.length > 0) return nodes;
  throw notValid(`Invalid nodeset of 'numatune': ${text}`);
}
