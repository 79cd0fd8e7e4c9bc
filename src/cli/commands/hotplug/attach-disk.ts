import { parseDevice } from "../../../domain/device.ts";
import { SvirtError } from "../../../errors.ts";
import { attachDevice } from "../../../vm/hotplug/change-devices.ts";
import { getSourceType } from "../../../vm/hotplug/source-type.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, PERSISTENT_OPTION, printChanged } from "../../device-change.ts";
import { formatDiskOptions } from "../../xml/disk.ts";

/** `svirt attach-disk DOMAIN SOURCE TARGET` */
export const command: Command = {
  spec: {
    name: "attach-disk",
    summary: "attach a disk to a running or defined domain",
    details:
      "svirt labels the image for the guest, opens it and passes it to QEMU. A running guest takes a disk on virtio, scsi or\n" +
      "usb only. The format is that of --subdriver, or raw: svirt never detects a format.",
    operands: [
      DOMAIN_OPERAND,
      { name: "source", summary: "path of the image or block device" },
      { name: "target", summary: "name of the disk, which selects the bus: vdb" },
    ],
    options: [
      { name: "targetbus", value: "bus", summary: "virtio, scsi, usb, sata or ide" },
      { name: "driver", value: "name", summary: "qemu" },
      { name: "subdriver", value: "format", summary: "raw or qcow2" },
      { name: "cache", value: "mode", summary: "none, writeback, writethrough, directsync or unsafe" },
      { name: "io", value: "mode", summary: "threads or native" },
      { name: "type", value: "device", summary: "disk, cdrom or floppy" },
      { name: "mode", value: "mode", summary: "readonly or shareable" },
      { name: "sourcetype", value: "type", summary: "file or block; default: the type of the source" },
      { name: "serial", value: "text", summary: "serial number that the guest sees" },
      { name: "alias", value: "name", summary: "alias that begins with ua-" },
      { name: "print-xml", summary: "print the disk's XML, and change nothing" },
      PERSISTENT_OPTION,
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    refuseOtherWords(call);
    const source = operand(call, "source");
    const found = await getSourceType(call.instance, source);
    const xml = formatDiskOptions({ source, target: operand(call, "target"), found }, call.options);
    if (call.options.has("print-xml")) {
      call.output.print(`${xml}\n\n`);
      return undefined;
    }
    const device = parseDevice(new TextEncoder().encode(xml));
    printChanged(call, await attachDevice(call.instance, askOf(call), device), "Disk attached successfully");
    return undefined;
  },
};

/** Refuses values of options that would otherwise have no effect. */
function refuseOtherWords({ options }: Call): void {
  const known = new Map([
    ["mode", ["readonly", "shareable"]],
    ["sourcetype", ["file", "block"]],
  ]);
  for (const [name, words] of known) {
    const word = options.get(name);
    if (word === undefined || words.includes(word)) continue;
    throw new SvirtError(`No support for ${word} in command 'attach-disk'`, {
      kind: "usage",
      remedy: `Write --${name} ${words.join(" or ")}.`,
    });
  }
}
