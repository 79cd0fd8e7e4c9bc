import { SvirtError } from "../../../errors.ts";
import { type DiskSizes, findDiskSizes, listDiskSizes } from "../../../vm/block/disk-sizes.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatCapacity } from "../../output/format-capacity.ts";
import { formatFacts, formatTable } from "../../output/table.ts";

const COLUMNS = ["Capacity", "Allocation", "Physical"];

/** `svirt domblkinfo DOMAIN DEVICE` */
export const command: Command = {
  spec: {
    name: "domblkinfo",
    summary: "show the size of a disk's image: for the guest, allocated on the host, and of the file",
    operands: [
      DOMAIN_OPERAND,
      { name: "device", summary: "the disk's target (vda) or the path of its source", isOptional: true },
    ],
    options: [
      { name: "human", summary: "print units: 1.000 GiB" },
      { name: "all", summary: "show all disks" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { instance, options, output } = call;
    const key = operand(call, "domain");
    const found = options.has("all")
      ? listDiskSizes(instance, key)
      : findDiskSizes(instance, key, deviceOf(call));
    if (options.has("json")) printJson(call, found);
    else output.print("length" in found ? formatAll(call, found) : formatOne(call, found));
    return undefined;
  },
};

function formatAll(call: Call, all: readonly DiskSizes[]): string {
  const rows = all.map((sizes) => [sizes.target, ...listSizes(call, sizes)]);
  return formatTable(["Target", ...COLUMNS], rows);
}

function formatOne(call: Call, sizes: DiskSizes): string {
  const values = listSizes(call, sizes);
  return formatFacts(COLUMNS.map((name, at) => [name, values[at]] as const));
}

function listSizes({ options }: Call, { allocation, capacity, physical }: DiskSizes): string[] {
  return [capacity, allocation, physical].map((bytes) => {
    if (bytes === undefined) return "-";
    return options.has("human") ? formatCapacity(bytes) : String(bytes);
  });
}

function deviceOf({ operands }: Call): string {
  const device = operands.get("device");
  if (device !== undefined) return device;
  throw new SvirtError("command 'domblkinfo' requires <device> option", {
    kind: "usage",
    remedy: "Name a disk, or give --all.",
  });
}
