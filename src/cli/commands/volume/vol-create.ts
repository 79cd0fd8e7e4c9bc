import { parseVolume } from "../../../storage/volume/document.ts";
import { createVolumeFrom, planVolume } from "../../../vm/volume/create-volume.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Command, JSON_OPTION, operand, printJson, VALIDATE_OPTION } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { NEW_POOL_OPERAND, PREALLOCATION_OPTION } from "../../volume-options.ts";

/** `svirt vol-create POOL FILE` */
export const command: Command = {
  spec: {
    name: "vol-create",
    summary: "create an empty volume from storage volume XML, with the owner, mode and label in it",
    details:
      "The format is raw or qcow2, with or without a backing file, and encrypted with <encryption format='luks'>; others are refused. Disk space of a raw volume is allocated at once, unless\n" +
      "<allocation> is smaller than <capacity>; a qcow2 volume grows, or has all tables at once with --prealloc-metadata. Without <compat>, a qcow2 volume has version 1.1. Without\n" +
      "<label>, a volume has the label of its path in the policy's file_contexts. A guest's own label is refused. In a\n" +
      "pool of type logical it is a logical volume, sparse with a smaller <allocation>, or a snapshot of <backingStore>; in a pool of type disk\n" +
      "a partition, and must have the partition's name.",
    operands: [NEW_POOL_OPERAND, { name: "file", summary: "volume XML: a file, or - for standard input" }],
    options: [PREALLOCATION_OPTION, VALIDATE_OPTION, JSON_OPTION],
  },
  plan: async (call) =>
    await planVolume(call.instance, operand(call, "pool"), {
      volume: parseVolume(readInputFile(call, operand(call, "file"))),
      flags: { isMetadataPreallocated: call.options.has("prealloc-metadata") },
    }),
  async run(call) {
    const file = operand(call, "file");
    const created = await createVolumeFrom(call.instance, operand(call, "pool"), {
      bytes: readInputFile(call, file),
      flags: { isMetadataPreallocated: call.options.has("prealloc-metadata") },
    });
    if (call.options.has("json")) printJson(call, created);
    else call.output.print(`Vol ${oneLine(created.name)} created from ${oneLine(file)}\n\n`);
    return undefined;
  },
};
