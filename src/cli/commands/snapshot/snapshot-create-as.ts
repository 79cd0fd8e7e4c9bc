import { getIdentity } from "../../../vm/query/domain-identity.ts";
import {
  createSnapshot,
  type NewSnapshot,
  newSnapshot,
  planSnapshot,
  snapshotFromXml,
} from "../../../vm/snapshot/create-snapshot.ts";
import { refuseBoth } from "../../block-job.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand, VALIDATE_OPTION } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { DRY_RUN_OPTION } from "../../label-changes.ts";
import { printDryRun } from "../../output/format-plan.ts";
import { oneLine } from "../../output/one-line.ts";
import { newSnapshotFlags } from "../../snapshot-options.ts";
import { formatSnapshot, parseDiskspec, parseMemspec } from "../../xml/snapshot.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `svirt snapshot-create-as DOMAIN [NAME] --disk-only|--memspec` */
export const command: Command = {
  spec: {
    name: "snapshot-create-as",
    summary: "take a snapshot of a domain's disks, and of a running guest's memory",
    details:
      "Each disk gets an overlay, a new qcow2 image for the guest's writes from then on; the previous image stays\n" +
      "unchanged. Either all disks switch at the same instant, or none does. Of a running guest, svirt creates the overlay with the guest's private\n" +
      "label; QEMU keeps the images below it open only for reading, and they get the content label. Guest and definition name the\n" +
      "overlay. The snapshot is stored with the present domain: svirt snapshot-list lists it, and svirt snapshot-revert reverts to it.\n" +
      "svirt blockcommit and blockpull merge the images again.\n" +
      "With --memspec the guest is stopped while its memory is written to a new file, in the form of svirt save, and runs again once the disks\n" +
      "have switched. The file is root's alone. svirt domjobinfo shows the progress, and svirt domjobabort ends it.",
    operands: [
      DOMAIN_OPERAND,
      { name: "name", summary: "name of the snapshot; default: the time", isOptional: true },
      { name: "description", summary: "description of the snapshot", isOptional: true },
      {
        name: "diskspec",
        summary: "disk[,snapshot=external|no][,driver=qcow2][,file=PATH], once for each disk",
        isOptional: true,
        isRepeated: true,
      },
    ],
    options: [
      { name: "disk-only", summary: "disks without the guest's memory" },
      {
        name: "memspec",
        value: "file",
        summary: "also the memory of a running guest: [file=]PATH[,snapshot=external]",
      },
      { name: "no-metadata", summary: "store no data except the images" },
      { name: "halt", summary: "end the guest afterwards" },
      { name: "quiesce", summary: "have the guest's agent freeze its file systems meanwhile" },
      { name: "atomic", summary: "all disks or none; svirt always does so" },
      VALIDATE_OPTION,
      { name: "reuse-external", summary: "use existing images as overlays" },
      { name: "print-xml", summary: "print the snapshot's XML, and change nothing" },
      DRY_RUN_OPTION,
      CRASH_OPTION,
    ],
  },
  plan: async (call) =>
    await planSnapshot(call.instance, operand(call, "domain"), snapshotAskedFor(call, askedOf(call))),
  async run(call) {
    const { instance, options, output } = call;
    refuseBoth(call, "print-xml", "no-metadata");
    const asked = askedOf(call);
    const domain = operand(call, "domain");
    if (options.has("print-xml")) {
      // Throws for an unknown domain, as virsh does.
      getIdentity(instance, domain);
      output.print(formatSnapshot(asked));
      return undefined;
    }
    const snapshot = snapshotAskedFor(call, asked);
    if (options.has(DRY_RUN_OPTION.name)) {
      printDryRun(call, await planSnapshot(instance, domain, snapshot));
    } else {
      const made = await createSnapshot(instance, domain, { snapshot, observer: crashDrill(call) });
      output.print(`Domain snapshot ${oneLine(made.name)} created\n`);
    }
    return undefined;
  },
};

type Asked = Parameters<typeof formatSnapshot>[0];

function askedOf({ operands, options, rest }: Call): Asked {
  const memspec = options.get("memspec");
  return {
    name: operands.get("name"),
    description: operands.get("description"),
    memory: memspec === undefined ? undefined : parseMemspec(memspec),
    disks: rest.map(parseDiskspec),
  };
}

function snapshotAskedFor(call: Call, asked: Asked): NewSnapshot {
  const { instance } = call;
  const flags = newSnapshotFlags(call);
  // virsh sends XML as well.
  if (asked.memory !== undefined) return snapshotFromXml(instance, encode(formatSnapshot(asked)), flags);
  const { memory: _, ...rest } = asked;
  return newSnapshot(instance, { ...rest, flags });
}
