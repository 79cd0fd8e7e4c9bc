import { SvirtError } from "../../../errors.ts";
import { formatVolume, type Volume } from "../../../storage/volume/document.ts";
import { showVolumeOf } from "../../../vm/volume/show-volume.ts";
import {
  type Command,
  IMAGE_OPERAND,
  JSON_OPTION,
  OF_POOL_OPTION,
  operand,
  printJson,
} from "../../command.ts";

/** `svirt vol-dumpxml VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-dumpxml",
    summary:
      "print a volume, an image or a block device as libvirt's storage volume XML, with owner, mode and label",
    details:
      "The format is detected by the first bytes. A start never detects a format: it uses the format in the domain's XML.",
    recovery: "none",
    operands: [IMAGE_OPERAND],
    options: [OF_POOL_OPTION, JSON_OPTION],
  },
  run(call) {
    const volume = showVolumeOf(call.instance, operand(call, "volume"), call.options.get("pool"));
    if (!call.options.has("json")) refuseUnwritable(volume);
    if (call.options.has("json")) printJson(call, volume);
    else call.output.print(`${visible(formatVolume(volume))}\n`);
    return Promise.resolve(undefined);
  },
};

/**
 * Characters that XML does not allow or svirt does not read. A file's name may have any byte but two, and a guest writes
 * the name of a backing file into its image.
 */
const NO_XML = /[\p{Cc}\p{Cs}\ufffe\uffff]/u;

function refuseUnwritable({ backingStore, key, name }: Volume): void {
  const found = [name, key ?? "", backingStore?.path ?? ""].find((text) => NO_XML.test(text));
  if (found === undefined) return;
  const why = found.isWellFormed() ? "has a control character" : "is not UTF-8";
  throw new SvirtError(`Cannot write ${found} as XML: the name ${why}`, {
    kind: "unsupported",
    remedy: "Rename the file, or use --json.",
  });
}

/**
 * Replaces characters that move a terminal's cursor or reverse text with references, which an XML parser reads as these
 * characters.
 */
function visible(xml: string): string {
  return xml.replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, (letter) => `&#${letter.codePointAt(0)};`);
}
