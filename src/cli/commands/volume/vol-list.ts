import { listPoolVolumes, listPoolVolumesWithSizes } from "../../../vm/volume/list-volumes.ts";
import { type Command, JSON_OPTION, operand, POOL_OPERAND, printJson } from "../../command.ts";
import { formatCapacity } from "../../output/format-capacity.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";

/** Decimals of a size in virsh's vol-list. */
const DECIMALS = 2;

/** `svirt vol-list POOL` */
export const command: Command = {
  spec: {
    name: "vol-list",
    summary: "list the volumes of an active pool",
    details:
      "Volumes of a folder are files and folders; symlinks, sockets, FIFOs and devices are not listed. Volumes of a pool of type\n" +
      "scsi, iscsi, mpath or disk are disks and partitions of the host.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [
      { name: "details", summary: "also show types and sizes" },
      { name: "name", summary: "only show names, a line each" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { instance, options, output } = call;
    const pool = operand(call, "pool");
    if (options.has("details") || options.has("json")) {
      const volumes = await listPoolVolumesWithSizes(instance, pool);
      if (options.has("json")) printJson(call, volumes);
      else output.print(formatTable(["Name", "Path", "Type", "Capacity", "Allocation"], volumes.map(toRow)));
    } else if (options.has("name")) {
      for (const { name } of await listPoolVolumes(instance, pool)) output.print(`${oneLine(name)}\n`);
    } else {
      const rows = (await listPoolVolumes(instance, pool)).map(({ name, path }) => [
        oneLine(name),
        oneLine(path),
      ]);
      output.print(formatTable(["Name", "Path"], rows));
    }
    return undefined;
  },
};

function toRow(volume: Awaited<ReturnType<typeof listPoolVolumesWithSizes>>[number]): readonly string[] {
  const sizes = [volume.capacityBytes, volume.allocationBytes].map((bytes) =>
    formatCapacity(bytes, DECIMALS),
  );
  return [oneLine(volume.name), oneLine(volume.path), volume.type, ...sizes];
}
