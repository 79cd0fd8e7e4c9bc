import { createVolumeIn, planVolume } from "../../../vm/volume/create-volume.ts";
import type { NewVolumeArguments } from "../../../vm/volume/describe-volume.ts";
import { volumeFromArguments } from "../../../vm/volume/volume-from-arguments.ts";
import { type Call, type Command, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { NEW_POOL_OPERAND, PREALLOCATION_OPTION, sizeOf } from "../../volume-options.ts";

/** `svirt vol-create-as POOL NAME CAPACITY` */
export const command: Command = {
  spec: {
    name: "vol-create-as",
    summary: "create an empty volume from arguments",
    details:
      "Sizes are bytes, or have a unit: 10G, 512MiB. The new volume is as by vol-create with the XML of --print-xml.",
    operands: [
      NEW_POOL_OPERAND,
      { name: "name", summary: "name of the volume" },
      { name: "capacity", summary: "size of the volume" },
    ],
    options: [
      {
        name: "allocation",
        value: "SIZE",
        summary:
          "disk space of a raw volume from the start, and of a qcow2 volume with --prealloc-metadata; all by default",
      },
      { name: "format", value: "FORMAT", summary: "raw, the default, or qcow2" },
      { name: "backing-vol", value: "VOLUME", summary: "name, key or path of the backing volume" },
      {
        name: "backing-vol-format",
        value: "FORMAT",
        summary: "format of the backing volume; raw by default",
      },
      PREALLOCATION_OPTION,
      { name: "print-xml", summary: "print the XML of the volume, and create nothing" },
      JSON_OPTION,
    ],
  },
  async plan(call) {
    const pool = operand(call, "pool");
    return await planVolume(call.instance, pool, await creationOf(call, pool, wordsOf(call)));
  },
  async run(call) {
    const { instance, options, output } = call;
    const pool = operand(call, "pool");
    const words = wordsOf(call);
    if (options.has("print-xml")) {
      const { describeNewVolume } = await import("../../../vm/volume/describe-volume.ts");
      output.print(`${await describeNewVolume(instance, pool, words)}\n`);
    } else await create(call, pool, words);
    return undefined;
  },
};

async function create(call: Call, pool: string, words: NewVolumeArguments): Promise<void> {
  const created = await createVolumeIn(call.instance, pool, await creationOf(call, pool, words));
  if (call.options.has("json")) printJson(call, created);
  else call.output.print(`Vol ${oneLine(created.name)} created\n\n`);
}

async function creationOf(
  { instance, options }: Call,
  pool: string,
  words: NewVolumeArguments,
): Promise<Parameters<typeof planVolume>[2]> {
  return {
    volume: await volumeFromArguments(instance, pool, words),
    flags: { isMetadataPreallocated: options.has("prealloc-metadata") },
  };
}

function wordsOf(call: Call): NewVolumeArguments {
  const { options } = call;
  const allocation = options.get("allocation");
  return {
    name: operand(call, "name"),
    capacityBytes: sizeOf(operand(call, "capacity")),
    allocationBytes: allocation === undefined ? undefined : sizeOf(allocation),
    format: options.get("format"),
    backingVolume: options.get("backing-vol"),
    backingFormat: options.get("backing-vol-format"),
  };
}
