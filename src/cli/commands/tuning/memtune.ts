import type { Domain } from "../../../domain/domain.ts";
import { replaceMemtune } from "../../../domain/edits/tuning.ts";
import { parseSizeInKiB } from "../../../domain/forms/memory-size.ts";
import { SvirtError } from "../../../errors.ts";
import { changeShares } from "../../../vm/tuning/change-limits.ts";
import { readMemoryLimits } from "../../../vm/tuning/read-limits.ts";
import { type Call, type Command, DOMAIN_OPERAND, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";
import { formatParameters } from "../../output/typed-parameters.ts";

const UNLIMITED = Number.MAX_SAFE_INTEGER;
/** Options of virsh, and their fields in the XML's type. */
const LIMITS = [
  ["hard-limit", "hardLimitKiB"],
  ["soft-limit", "softLimitKiB"],
  ["swap-hard-limit", "swapHardLimitKiB"],
] as const;

/** `svirt memtune DOMAIN` */
export const command: Command = {
  spec: {
    name: "memtune",
    summary: "show or set the memory limits of a guest's QEMU",
    details:
      "In KiB, or with a unit: 512MiB; -1 means no limit. The kernel ends a guest if its QEMU needs more than the hard\n" +
      "limit. The swap hard limit is for memory and swap together.",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "hard-limit", value: "size", summary: "limit, never exceeded" },
      { name: "soft-limit", value: "size", summary: "limit; the kernel reclaims memory above it" },
      { name: "swap-hard-limit", value: "size", summary: "limit for memory and swap together" },
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const change = Object.fromEntries(
      LIMITS.flatMap(([option, key]) => {
        const text = call.options.get(option);
        return text === undefined ? [] : [[key, parseLimit(option, text)]];
      }),
    );
    if (Object.keys(change).length === 0) {
      show(call);
      return undefined;
    }
    const options = {
      what: "limit memory",
      change: (domain: Domain) => replaceMemtune(domain, change),
    };
    printChanged(call, await changeShares(call.instance, askOf(call), options), "");
    return undefined;
  },
};

/** Parses a limit in KiB. Throws "usage" with virsh's message. */
function parseLimit(option: string, text: string): number {
  const kiB = text === "-1" ? UNLIMITED : parseSizeInKiB(text);
  if (kiB !== undefined) return kiB;
  throw new SvirtError(`Scaled numeric value '${text}' for <${option}> option is malformed or out of range`, {
    kind: "usage",
    remedy: "Write KiB or a number with a unit: 512MiB; -1 means no limit.",
  });
}

function show(call: Call): void {
  const is = readMemoryLimits(call.instance, askOf(call));
  if (call.options.has("json")) {
    printJson(call, is);
    return;
  }
  const word = (kiB: number | undefined): string => (kiB === undefined ? "unlimited" : String(kiB));
  call.output.print(
    formatParameters([
      ["hard_limit", word(is.hardKiB)],
      ["soft_limit", word(is.softKiB)],
      ["swap_hard_limit", word(is.swapHardKiB)],
    ]),
  );
}
