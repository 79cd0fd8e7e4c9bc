import { NUMA_MODES, type NumaChange } from "../../../domain/edits/numatune.ts";
import { cpuSet, hostNodes } from "../../../domain/forms/id-set.ts";
import { SvirtError } from "../../../errors.ts";
import { changeNumatune, readNumatune } from "../../../vm/tuning/numa.ts";
import { type Call, type Command, DOMAIN_OPERAND, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";
import { formatParameters } from "../../output/typed-parameters.ts";

/** `svirt numatune DOMAIN` */
export const command: Command = {
  spec: {
    name: "numatune",
    summary: "show or set the host's NUMA nodes for a guest's memory",
    details:
      `Modes: ${NUMA_MODES.join(", ")}, or their numbers from 0. A running guest keeps its mode, and gets other nodes by its\n` +
      "control group, if the mode is strict or restrictive.",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "mode", value: "mode", summary: "how QEMU uses the nodes" },
      { name: "nodeset", value: "nodes", summary: "numbers of nodes: 0-1,3" },
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const change = changeOf(call);
    if (Object.keys(change).length > 0) {
      printChanged(call, await changeNumatune(call.instance, askOf(call), change), "");
      return undefined;
    }
    const { mode, nodes } = readNumatune(call.instance, askOf(call));
    const nodeset = cpuSet.encode(nodes);
    if (call.options.has("json")) printJson(call, { mode, nodeset });
    else
      call.output.print(
        formatParameters([
          ["numa_mode", mode],
          ["numa_nodeset", nodeset],
        ]),
      );
    return undefined;
  },
};

/**
 * Parses the options. Throws "usage" with virsh's messages. cmdNumatune() of libvirt's tools/virsh-domain.c
 */
function changeOf({ options }: Call): NumaChange {
  const [modeText, nodeText] = [options.get("mode"), options.get("nodeset")];
  const mode = NUMA_MODES.find((name, number) => name === modeText || String(number) === modeText);
  if (modeText !== undefined && mode === undefined)
    throw usage(`Invalid mode: ${modeText}`, `Give one of ${NUMA_MODES.join(", ")}.`);
  const nodes = nodeText === undefined ? undefined : hostNodes.decode(nodeText);
  if (nodeText !== undefined && (nodes === undefined || nodes.length === 0))
    throw usage(`Invalid nodeset of 'numatune': ${nodeText}`, "Write numbers of nodes: 0-1,3");
  return { ...(mode === undefined ? {} : { mode }), ...(nodes === undefined ? {} : { nodes }) };
}

function usage(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy });
}
