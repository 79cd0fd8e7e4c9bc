import { planOnly } from "../../../vm/object-change/carry-out.ts";
import { createSnapshot, planSnapshot, snapshotFromXml } from "../../../vm/snapshot/create-snapshot.ts";
import { redefineSnapshot, redefinition } from "../../../vm/snapshot/redefine-snapshot.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { refuseBoth } from "../../block-job.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand, VALIDATE_OPTION } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { newSnapshotFlags } from "../../snapshot-options.ts";

/** `svirt snapshot-create DOMAIN [FILE]` */
export const command: Command = {
  spec: {
    name: "snapshot-create",
    summary: "take a snapshot of a domain from XML, or store an existing snapshot",
    details:
      "As svirt snapshot-create-as, with the XML of a <domainsnapshot>: without --disk-only it needs <memory file='PATH'/>.\n" +
      "With --redefine no image changes: the snapshot is stored as the\n" +
      "XML of svirt snapshot-dumpxml describes it, or replaces the snapshot of its name.",
    operands: [
      DOMAIN_OPERAND,
      { name: "xmlfile", summary: "snapshot XML: a file, or - for standard input", isOptional: true },
    ],
    options: [
      { name: "redefine", summary: "store the data of an existing snapshot" },
      { name: "current", summary: "with --redefine, the snapshot becomes current" },
      { name: "no-metadata", summary: "store no data except the images" },
      { name: "disk-only", summary: "disks without the guest's memory" },
      { name: "reuse-external", summary: "use existing images as overlays" },
      { name: "halt", summary: "end the guest afterwards" },
      { name: "quiesce", summary: "have the guest's agent freeze its file systems meanwhile" },
      { name: "atomic", summary: "all disks or none; svirt always does so" },
      VALIDATE_OPTION,
    ],
  },
  async plan(call) {
    const { instance, options } = call;
    const [domain, bytes] = [operand(call, "domain"), bytesOf(call)];
    if (options.has("redefine"))
      return await planOnly(instance, redefinition(domain, redefinedOf(call, bytes)).change);
    return await planSnapshot(instance, domain, snapshotFromXml(instance, bytes, newSnapshotFlags(call)));
  },
  async run(call) {
    const file = call.operands.get("xmlfile");
    const { name } = await create(call, bytesOf(call));
    const from = file === undefined ? "" : ` from '${oneLine(file)}'`;
    call.output.print(`Domain snapshot ${oneLine(name)} created${from}\n`);
    return undefined;
  },
};

/** Reads the XML. Throws "usage" for options that exclude each other. */
function bytesOf(call: Call): Uint8Array {
  for (const other of ["no-metadata", "halt", "quiesce"]) refuseBoth(call, "redefine", other);
  const file = call.operands.get("xmlfile");
  return file === undefined ? new TextEncoder().encode("<domainsnapshot/>") : readInputFile(call, file);
}

async function create(call: Call, bytes: Uint8Array): Promise<{ readonly name: string }> {
  const { instance, options } = call;
  const domain = operand(call, "domain");
  if (options.has("redefine")) return await redefineSnapshot(instance, domain, redefinedOf(call, bytes));
  return await createSnapshot(instance, domain, {
    snapshot: snapshotFromXml(instance, bytes, newSnapshotFlags(call)),
  });
}

function redefinedOf({ options }: Call, bytes: Uint8Array): Parameters<typeof redefinition>[1] {
  return { bytes, flags: { isDiskOnly: options.has("disk-only"), isCurrent: options.has("current") } };
}
