import { parseSize } from "../../../domain/forms/parse-size.ts";
import { SvirtError } from "../../../errors.ts";
import { resizeDisk } from "../../../vm/block/resize-disk.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

const KIB = 1024;

/** `svirt blockresize DOMAIN PATH SIZE` */
export const command: Command = {
  spec: {
    name: "blockresize",
    summary: "change the size of a running guest's disk",
    details:
      "The guest sees the new size immediately. A smaller size cuts off the end of the disk, with its data. The size is in KiB, or has a\n" +
      "unit: 10G, 512MiB, 1048576B.",
    operands: [
      DOMAIN_OPERAND,
      { name: "path", summary: "the disk: its target, or the path of its image" },
      { name: "size", summary: "the new size", isOptional: true },
    ],
    options: [{ name: "capacity", summary: "use the whole size of a raw block device" }],
  },
  async run(call) {
    const path = operand(call, "path");
    const isCapacity = call.options.has("capacity");
    await resizeDisk(call.instance, operand(call, "domain"), { path, sizeBytes: sizeOf(call), isCapacity });
    call.output.print(`Block device '${oneLine(path)}' is resized\n`);
    return undefined;
  },
};

/** Returns the size in bytes. A number alone is in KiB. vshCommandOptScaledInt() of libvirt's tools/vsh.c */
function sizeOf({ operands }: Call): number | undefined {
  const text = operands.get("size");
  if (text === undefined) return undefined;
  const bytes = parseSize(/^\s*\d+\s*$/.test(text) ? `${text.trim()}KiB` : text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new SvirtError(`Scaled numeric value '${text}' for <--size> option is malformed or out of range`, {
    kind: "usage",
    remedy: `Give a size such as 10G, or a number of ${KIB} bytes.`,
  });
}
