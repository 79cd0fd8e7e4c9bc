import { parseDevice } from "../../../domain/device.ts";
import { SvirtError } from "../../../errors.ts";
import { attachDevice } from "../../../vm/hotplug/change-devices.ts";
import { getSourceType } from "../../../vm/hotplug/source-type.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
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
      "usb only, and a SCSI controller with it if it lacks one. The format is --subdriver's, or raw: svirt never detects a\n" +
      "format.",
    operands: [
      DOMAIN_OPERAND,
      { name: "source", summary: "path of the image or block device, or name of the disk on a server" },
      { name: "target", summary: "name of the disk, to select the bus: vdb" },
    ],
    options: [
      { name: "targetbus", value: "bus", summary: "virtio, scsi, usb, sata or ide" },
      { name: "driver", value: "name", summary: "qemu" },
      { name: "subdriver", value: "format", summary: "raw or qcow2" },
      { name: "iothread", value: "id", summary: "number of the disk's I/O thread" },
      { name: "cache", value: "mode", summary: "none, writeback, writethrough, directsync or unsafe" },
      { name: "io", value: "mode", summary: "threads or native" },
      { name: "type", value: "device", summary: "disk, cdrom or floppy" },
      { name: "mode", value: "mode", summary: "readonly or shareable" },
      {
        name: "sourcetype",
        value: "type",
        summary: "file, block or network; default: the type of the source",
      },
      { name: "serial", value: "text", summary: "serial number, as seen by the guest" },
      { name: "wwn", value: "digits", summary: "World Wide Name, as seen by the guest" },
      {
        name: "address",
        value: "address",
        summary: "place in the guest: pci:0000.00.05.00, scsi:0.0.1, sata:0.0.1, ide:0.0.1 or usb:0.1",
      },
      { name: "multifunction", summary: "with --address of PCI: the device has more functions" },
      {
        name: "source-protocol",
        value: "protocol",
        summary: "protocol of a network disk: nbd, iscsi and others",
      },
      { name: "source-host-name", value: "host", summary: "its server, with :port if needed" },
      { name: "source-host-transport", value: "transport", summary: "tcp or unix" },
      { name: "source-host-socket", value: "path", summary: "its server's socket, with the transport unix" },
      { name: "throttle-groups", value: "names", summary: "groups of limits, separated by commas" },
      { name: "alias", value: "name", summary: "alias with ua- at its beginning" },
      { name: "print-xml", summary: "print the disk's XML, and change nothing" },
      PERSISTENT_OPTION,
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    refuseOtherWords(call);
    refuseWithout(call);
    onlyOne(call, ["source-host-name", "source-host-socket"]);
    const source = operand(call, "source");
    const isNetwork = call.options.has("source-protocol");
    const found = isNetwork ? undefined : await getSourceType(call.instance, source);
    const xml = formatDiskOptions({ source, target: operand(call, "target"), found }, call.options);
    if (call.options.has("print-xml")) {
      call.output.print(`${xml}\n`);
      return undefined;
    }
    const device = parseDevice(new TextEncoder().encode(xml));
    printChanged(call, await attachDevice(call.instance, askOf(call), device), "Disk attached successfully");
    return undefined;
  },
};

/** Refuses options without an effect on their own, with virsh's messages. */
function refuseWithout({ options }: Call): void {
  const needs = [
    ["source-host-name", "source-protocol"],
    ["source-host-transport", "source-protocol"],
    ["source-host-socket", "source-protocol"],
    ["source-host-socket", "source-host-transport"],
    ["multifunction", "address"],
  ] as const;
  const found = needs.find(([name, other]) => options.has(name) && !options.has(other));
  if (found === undefined) return;
  throw new SvirtError(`Option --${found[1]} is required by option --${found[0]}`, {
    kind: "usage",
    remedy: "See: svirt attach-disk --help",
  });
}

/** Refuses values of options without an effect. */
function refuseOtherWords({ options }: Call): void {
  const known = new Map([
    ["mode", ["readonly", "shareable"]],
    ["sourcetype", ["file", "block", "network"]],
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
