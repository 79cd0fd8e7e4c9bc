import type { Domain } from "../../../domain/domain.ts";
import { replaceCputune, SCHEDULER_PARAMETERS } from "../../../domain/edits/tuning.ts";
import type { Cputune } from "../../../domain/machine/cputune.ts";
import { SvirtError } from "../../../errors.ts";
import { changeShares } from "../../../vm/tuning/change-limits.ts";
import { type CpuShares, readCpuShares } from "../../../vm/tuning/read-limits.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Call, type Command, DOMAIN_OPERAND, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";
import { formatParameters } from "../../output/typed-parameters.ts";

const PARAMETERS: ReadonlyMap<string, keyof Cputune> = new Map(SCHEDULER_PARAMETERS);

/** `svirt schedinfo DOMAIN [--set] NAME=VALUE...` */
export const command: Command = {
  spec: {
    name: "schedinfo",
    summary: "show or set a guest's share of the host's processors",
    details:
      `Parameters: ${[...PARAMETERS.keys()].join(", ")}.\n` +
      "Periods and quotas are in microseconds; -1 means no quota. Quotas for vCPUs, I/O threads or the emulator of a running\n" +
      "guest can change only if it was started with a quota for them.",
    operands: [
      DOMAIN_OPERAND,
      { name: "set", summary: "name=value; may be repeated", isOptional: true, isRepeated: true },
    ],
    options: CHANGE_OPTIONS,
  },
  async run(call) {
    const named = call.operands.get("set");
    const words = [...(named === undefined ? [] : [named]), ...call.rest];
    if (words.length > 0) {
      const change = parseParameters(words);
      const options = {
        what: "share processors",
        change: (domain: Domain) => replaceCputune(domain, change),
      };
      const changed = await changeShares(call.instance, askOf(call), options);
      if (call.options.has("dry-run") || call.options.has("json")) {
        printChanged(call, changed, "");
        return undefined;
      }
    }
    show(call);
    return undefined;
  },
};

function parseParameters(words: readonly string[]): Partial<Cputune> {
  return Object.fromEntries(
    words.map((word) => {
      const [name = "", text] = word.split("=");
      const key = PARAMETERS.get(name);
      if (key !== undefined && text !== undefined)
        return [key, text === "-1" ? -1 : parseWhole(text, name, [0, Number.MAX_SAFE_INTEGER])];
      throw new SvirtError(`invalid scheduler option: ${word}`, {
        kind: "usage",
        remedy: "Write name=value: cpu_shares=200",
      });
    }),
  );
}

/** Prints parameters as virsh does, even after a change. cmdSchedinfo() of libvirt's tools/virsh-domain.c */
function show(call: Call): void {
  const is = readCpuShares(call.instance, askOf(call));
  if (call.options.has("json")) {
    printJson(call, is);
    return;
  }
  const quota = (name: Exclude<keyof CpuShares, "shares">): [string, string][] => [
    [`${name}_period`, String(is[name].periodUs)],
    [`${name}_quota`, String(is[name].quotaUs)],
  ];
  call.output.print(
    formatParameters([
      ["Scheduler", "posix"],
      ["cpu_shares", String(is.shares)],
      ...quota("vcpu"),
      ...quota("emulator"),
      ...quota("global"),
      ...quota("iothread"),
    ]),
  );
}
