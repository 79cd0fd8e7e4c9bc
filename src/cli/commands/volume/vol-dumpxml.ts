import { showVolumeOf } from "../../../vm/volume/show-volume.ts";
import { getVolumeXml } from "../../../vm/volume/volume-xml.ts";
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
  async run(call) {
    const [key, pool] = [operand(call, "vol"), call.options.get("pool")];
    if (call.options.has("json")) printJson(call, await showVolumeOf(call.instance, key, pool));
    else call.output.print(`${await getVolumeXml(call.instance, key, pool)}\n`);
    return undefined;
  },
};
