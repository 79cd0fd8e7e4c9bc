import { IOTUNE_PARAMETERS, type Iotune } from "../../../domain/edits/iotune.ts";
import { parseSize } from "../../../domain/forms/parse-size.ts";
import { SvirtError } from "../../../errors.ts";
import { changeDiskLimits, readDiskLimits } from "../../../vm/tuning/disk-limits.ts";
import { type Command, DOMAIN_OPERAND, operand, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";
import { formatParameters } from "../../output/typed-parameters.ts";

/** Options of virsh with their fields in the XML's type. Each is a parameter with hyphens. */
const OPTIONS = IOTUNE_PARAMETERS.map(([name, key]) => ({ option: name.replaceAll("_", "-"), name, key }));

/** `svirt blkdeviotune DOMAIN DEVICE` */
export const command: Command = {
  spec: {
    name: "blkdeviotune",
    summary: "show or set the limits of a disk",
    details:
      "Bytes and operations in a second, with a unit if wanted: 10M. 0 means no limit. The limits ending with max are\n" +
      "for bursts, and the limits ending with length the seconds of a burst. A limit replaces the others of its family: a limit of all\n" +
      "bytes replaces the limits of reads and writes. Disks of a group share its limits.",
    operands: [DOMAIN_OPERAND, { name: "device", summary: "target or source path of a disk" }],
    options: [
      ...OPTIONS.map(({ option }) => ({
        name: option,
        value: option === "group-name" ? "name" : "number",
        summary: summaryOf(option),
      })),
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const disk = operand(call, "device");
    const limits: Partial<Iotune> = Object.fromEntries(
      OPTIONS.flatMap(({ key, option }) => {
        const text = call.options.get(option);
        return text === undefined ? [] : [[key, key === "groupName" ? text : parseLimit(option, text)]];
      }),
    );
    if (Object.keys(limits).length > 0) {
      printChanged(call, await changeDiskLimits(call.instance, askOf(call), { disk, limits }), "");
      return undefined;
    }
    const is = readDiskLimits(call.instance, askOf(call), disk);
    const rows = OPTIONS.map(({ key, name }) => [name, is[key] ?? (key === "groupName" ? "" : 0)] as const);
    if (call.options.has("json")) printJson(call, Object.fromEntries(rows));
    else call.output.print(formatParameters(rows.map(([name, value]) => [name, String(value)])));
    return undefined;
  },
};

function summaryOf(option: string): string {
  if (option === "group-name") return "group of disks with the same limits";
  if (option === "size-iops-sec") return "bytes counted as a single operation";
  const [whose = "", what = ""] = option.split("-");
  const unit = what === "bytes" ? "bytes" : "operations";
  const who = whose === "total" ? "reads and writes" : `${whose}s`;
  if (option.endsWith("length")) return `seconds of a burst of ${who} (${unit})`;
  return `${unit} in a second of ${who}${option.endsWith("max") ? ", in a burst" : ""}`;
}

/** Parses a limit. Throws "usage" with virsh's message. */
function parseLimit(option: string, text: string): number {
  const limit = parseSize(text);
  if (limit !== undefined) return limit;
  throw new SvirtError(`Unable to parse ${option} parameter`, {
    kind: "usage",
    remedy: "Write a number with a unit if wanted: 10M; 0 means no limit.",
  });
}
