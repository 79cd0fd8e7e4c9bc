import { encryptionForm } from "../../../domain/forms/secret.ts";
import { parseCopyTarget } from "../../../domain/other-documents/copy-target.ts";
import { SvirtError } from "../../../errors.ts";
import { type CopyOptions, copyLive, findDecrypted } from "../../../vm/block/copy.ts";
import { formatDocument } from "../../../xml/format-document.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { endOf, JOB_OPTIONS, paceOf, refuseBoth, runJob } from "../../block-job.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { makeDraft } from "../../xml/make-draft.ts";

/** Limit of both sizes: QEMU accepts a 64-bit number, and no host has more memory than this. */
const MOST_BYTES_AT_ONCE = 2 ** 40;

/** `svirt blockcopy DOMAIN PATH DEST` */
export const command: Command = {
  spec: {
    name: "blockcopy",
    summary: "copy a disk to another image, while the guest runs",
    details:
      "svirt creates the copy and gives it the guest's private label before QEMU opens it. --pivot switches the guest to\n" +
      "the copy, and images that the guest no longer uses get their original labels back. With --finish the copy gets the\n" +
      "label that it had when it was created. Without either, the job runs until svirt blockjob ends it.",
    operands: [
      DOMAIN_OPERAND,
      { name: "path", summary: "the disk: its target, or the path of its image" },
      { name: "dest", summary: "path of the copy", isOptional: true },
      { name: "bandwidth", summary: "bandwidth limit in MiB/s", isOptional: true },
    ],
    options: [
      {
        name: "xml",
        value: "file",
        summary: "XML of the copy, a <disk> with source, format and <encryption>, instead of --dest",
      },
      {
        name: "format",
        value: "format",
        summary: "raw or qcow2; default: the format of the disk's own image",
      },
      { name: "blockdev", summary: "the copy is a block device" },
      { name: "shallow", summary: "copy only the disk's own image; the copy gets the same backing image" },
      { name: "reuse-external", summary: "use an existing image as the copy" },
      { name: "pivot", summary: "implies --wait; switch the guest to the copy" },
      { name: "finish", summary: "implies --wait; keep the guest on its image" },
      {
        name: "granularity",
        value: "bytes",
        summary: "smallest amount to copy at once, a power of two",
      },
      { name: "buf-size", value: "bytes", summary: "largest amount in flight" },
      { name: "synchronous-writes", summary: "complete the guest's writes only after both images have them" },
      { name: "transient-job", summary: "no effect: no job outlives its guest" },
      { name: "print-xml", summary: "print the copy's XML, and change nothing" },
      ...JOB_OPTIONS,
    ],
  },
  async run(call) {
    for (const other of ["dest", "format", "blockdev"]) refuseBoth(call, other, "xml");
    refuseBoth(call, "pivot", "finish");
    const { instance, options, output } = call;
    const target = targetOf(call);
    if (options.has("print-xml")) {
      output.print(formatTarget(target));
      return undefined;
    }
    const path = operand(call, "path");
    const copy: CopyOptions = { ...target, path, ...howOf(call) };
    const request = copyLive(instance, copy);
    const decrypted = findDecrypted(instance, operand(call, "domain"), copy);
    if (decrypted !== undefined)
      output.warn(
        `warning: the copy of ${decrypted} is not encrypted: <encryption> in the XML of --xml encrypts it\n`,
      );
    await runJob(call, request, {
      label: "Block Copy",
      started: "Block Copy started",
      ready: "Now in mirroring phase",
      done: "Successfully copied",
      failed: "Copy failed",
      aborted: "Copy aborted",
      end: endOf(call, { option: "finish", said: "Successfully copied" }),
    });
    return undefined;
  },
};

type Target = Pick<CopyOptions, "dest" | "storage" | "format" | "encryption">;

function howOf(call: Call): Omit<CopyOptions, keyof Target | "path"> {
  const { options } = call;
  const numberOf = (name: string): number | undefined => {
    const text = options.get(name);
    return text === undefined ? undefined : parseWhole(text, name, [1, MOST_BYTES_AT_ONCE]);
  };
  return {
    isShallow: options.has("shallow"),
    reuses: options.has("reuse-external"),
    bytesPerSecond: paceOf(call),
    granularity: numberOf("granularity"),
    bufferBytes: numberOf("buf-size"),
    isSynchronous: options.has("synchronous-writes"),
  };
}

function targetOf(call: Call): Target {
  const { operands, options } = call;
  const xml = options.get("xml");
  if (xml !== undefined) {
    const { driver, source, type } = parseCopyTarget(readInputFile(call, xml));
    const dest = "file" in source ? source.file : source.dev;
    return { storage: type, format: driver?.type, dest, encryption: source.encryption };
  }
  const dest = operands.get("dest");
  if (dest === undefined)
    throw new SvirtError("need either --dest or --xml", {
      kind: "usage",
      remedy: "Name the copy: --dest PATH",
    });
  const format = options.get("format");
  if (format === undefined || format === "raw" || format === "qcow2")
    return { dest, format, storage: options.has("blockdev") ? "block" : "file" };
  throw new SvirtError(`Cannot copy to an image of format '${format}': svirt creates raw and qcow2 images`, {
    kind: "unsupported",
    remedy: "Give --format qcow2.",
  });
}

/** Formats the copy's XML as virsh does. cmdBlockcopy() of libvirt's tools/virsh-domain.c */
function formatTarget({ dest, encryption, format, storage }: Target): string {
  const disk = makeDraft("disk", { type: storage });
  const source = makeDraft("source", { [storage === "file" ? "file" : "dev"]: dest });
  if (encryption !== undefined) source.children.push(encryptionForm.format(encryption));
  disk.children.push(source);
  if (format !== undefined) disk.children.push(makeDraft("driver", { type: format }));
  return formatDocument(disk);
}
