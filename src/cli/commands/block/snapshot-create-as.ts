import { SvirtError } from "../../../errors.ts";
import { takeSnapshot } from "../../../vm/block/jobs.ts";
import { defaultSnapshotName, snapshotLive } from "../../../vm/block/snapshot.ts";
import { getIdentity } from "../../../vm/query/domain-identity.ts";
import { printDryRun, refuseBoth } from "../../block-job.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { DRY_RUN_OPTION } from "../../label-changes.ts";
import { formatSnapshot, parseDiskspec } from "../../xml/snapshot.ts";

/** `svirt snapshot-create-as DOMAIN [NAME] --disk-only` */
export const command: Command = {
  spec: {
    name: "snapshot-create-as",
    summary: "take a snapshot of the disks of a running guest",
    details:
      "Each disk gets an overlay, a new qcow2 image to which the guest writes from then on; the previous image stays\n" +
      "unchanged. Either all disks switch at the same instant, or none does. svirt creates the overlay with the guest's private label; QEMU\n" +
      "keeps the images below it open only for reading, and they get the content label. Guest and definition name the\n" +
      "overlay. svirt stores no other data of a snapshot: none can be listed, reverted to or deleted, and --no-metadata\n" +
      "changes nothing. svirt blockcommit and blockpull merge the images again.",
    operands: [
      DOMAIN_OPERAND,
      { name: "name", summary: "name of the snapshot; default: the time", isOptional: true },
      { name: "description", summary: "description in the XML of --print-xml", isOptional: true },
      {
        name: "diskspec",
        summary: "disk[,snapshot=external|no][,driver=qcow2][,file=PATH], once for each disk",
        isOptional: true,
        isRepeated: true,
      },
    ],
    options: [
      { name: "disk-only", summary: "disks without the guest's memory; the only kind" },
      { name: "no-metadata", summary: "store no data except the images; svirt never stores any" },
      { name: "atomic", summary: "all disks or none; svirt always does so" },
      { name: "reuse-external", summary: "use existing images as overlays" },
      { name: "print-xml", summary: "print the snapshot's XML, and change nothing" },
      DRY_RUN_OPTION,
      CRASH_OPTION,
    ],
  },
  async run(call) {
    const { instance, options, output, rest } = call;
    refuseBoth(call, "print-xml", "no-metadata");
    const given = call.operands.get("name");
    const disks = rest.map(parseDiskspec);
    if (options.has("print-xml")) {
      // Throws for an unknown domain, as virsh does.
      getIdentity(instance, operand(call, "domain"));
      output.print(formatSnapshot({ name: given, description: call.operands.get("description"), disks }));
      return undefined;
    }
    refuseMemory(call);
    const name = given ?? defaultSnapshotName(instance);
    const request = snapshotLive(instance, { name, disks, reuses: options.has("reuse-external") });
    if (options.has(DRY_RUN_OPTION.name)) {
      await printDryRun(call, request);
    } else {
      await takeSnapshot(instance, operand(call, "domain"), { request, observer: crashDrill(call) });
      output.print(`Domain snapshot ${name} created\n`);
    }
    return undefined;
  },
};

function refuseMemory({ options }: Call): void {
  if (options.has("disk-only")) return;
  throw new SvirtError("Operation not supported: svirt does not take snapshots of a guest's memory", {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Add --disk-only, for a snapshot of the disks only.",
  });
}
