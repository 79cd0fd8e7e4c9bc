import { checked, element, type ValueOf } from "../../xml/element.ts";
import { children, required, textOf } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer } from "../../xml/value-form.ts";
import { objectName } from "./text.ts";

/**
 * QEMU's own limit is 1e15. The kernel and QEMU count in 64 bits; JavaScript's numbers are exact up to this
 * limit.
 */
const amount = integer(0, 1e15);

const rates = {
  totalBytesSec: textOf("total_bytes_sec", amount),
  readBytesSec: textOf("read_bytes_sec", amount),
  writeBytesSec: textOf("write_bytes_sec", amount),
  totalIopsSec: textOf("total_iops_sec", amount),
  readIopsSec: textOf("read_iops_sec", amount),
  writeIopsSec: textOf("write_iops_sec", amount),
  totalBytesSecMax: textOf("total_bytes_sec_max", amount),
  readBytesSecMax: textOf("read_bytes_sec_max", amount),
  writeBytesSecMax: textOf("write_bytes_sec_max", amount),
  totalIopsSecMax: textOf("total_iops_sec_max", amount),
  readIopsSecMax: textOf("read_iops_sec_max", amount),
  writeIopsSecMax: textOf("write_iops_sec_max", amount),
  sizeIopsSec: textOf("size_iops_sec", amount),
};
const lengths = {
  totalBytesSecMaxLength: textOf("total_bytes_sec_max_length", amount),
  readBytesSecMaxLength: textOf("read_bytes_sec_max_length", amount),
  writeBytesSecMaxLength: textOf("write_bytes_sec_max_length", amount),
  totalIopsSecMaxLength: textOf("total_iops_sec_max_length", amount),
  readIopsSecMaxLength: textOf("read_iops_sec_max_length", amount),
  writeIopsSecMaxLength: textOf("write_iops_sec_max_length", amount),
};

/** `<iotune>` of a disk, https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms */
export const iotune = checked(
  element("iotune", () => ({ ...rates, groupName: textOf("group_name", objectName), ...lengths })),
  (_value, node) => refuseContradictions(node),
);

/** `<throttlegroup>`: limits shared by several disks, https://libvirt.org/formatdomain.html#throttle-group */
const throttleGroup = checked(
  element("throttlegroup", () => ({
    ...rates,
    groupName: required(textOf("group_name", objectName)),
    ...lengths,
  })),
  (_value, node) => refuseContradictions(node),
);
export type ThrottleGroup = ValueOf<typeof throttleGroup>;

/** `<throttlegroups>` of a domain. */
export const throttleGroups = element("throttlegroups", () => ({ groups: children(throttleGroup) }));

// virDomainDiskDefIotuneParse() and qemuDomainValidateBlockIoTune… of libvirt
function refuseContradictions(node: XmlNode): void {
  const amountOf = (tag: string): number =>
    Number(node.children.find((found) => found.tag === tag)?.text ?? 0);
  for (const kind of ["bytes_sec", "iops_sec", "bytes_sec_max", "iops_sec_max"]) {
    if (amountOf(`total_${kind}`) === 0 || amountOf(`read_${kind}`) + amountOf(`write_${kind}`) === 0)
      continue;
    const why = "a total limit excludes a read or write limit";
    throw notUnderstood({ node, place: `total_${kind}` }, why, "Leave one of them out.");
  }
  for (const { tag } of node.children) {
    const base = /^(.*_sec(?:_max)?)_(?:max|max_length)$/.exec(tag)?.[1];
    const needed = tag.endsWith("_max_length") ? tag.slice(0, -"_length".length) : base;
    if (needed === undefined || amountOf(tag) === 0 || amountOf(needed) > 0) continue;
    throw notUnderstood({ node, place: tag }, `there is no <${needed}>`, `Write <${needed}> as well.`);
  }
}
