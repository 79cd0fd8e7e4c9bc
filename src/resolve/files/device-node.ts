import type { NodeResource, Resource } from "../../domain/resources/resource.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { LABEL_ROLES, useOfDisk } from "../../label/roles.ts";
import { folderOf } from "../../plan/folder-of.ts";
import { refuseBusyDisk } from "../busy-disk.ts";
import { factsOfPlanned, inspect, missing } from "../inspect-file.ts";
import type { ResolvedFile } from "../resolved-file.ts";

type ScsiResource = Extract<Resource, { readonly kind: "scsi-device" }>;

/**
 * Kinds of device nodes, by the kernel's numbers. A TPM has any of many minor numbers of major 10, so its
 * name decides. Documentation/admin-guide/devices.txt of Linux
 */
const KINDS = {
  "input-device": { node: /^13:/, path: /^\/dev\//, words: "an input device" },
  "usb-device": { node: /^189:/, path: /^\/dev\//, words: "a USB device" },
  "tpm-device": { node: /./, path: /^\/dev\/tpm\d+$/, words: "a TPM" },
  "sgx-device": { node: /^10:/, path: /^\/dev\/sgx_(?:vepc|provision)$/, words: "an SGX node" },
  "vhost-scsi": { node: /^10:/, path: /^\/dev\/vhost-scsi$/, words: "the vhost-scsi node" },
  "scsi-device": { node: /^21:/, path: /^\/dev\/sg\d+$/, words: "a generic SCSI node" },
  "vfio-device": { node: /./, path: /^\/dev\/vfio\/\d+$/, words: "a VFIO group" },
  "vfio-gate": { node: /^10:196$/, path: /^\/dev\/vfio\/vfio$/, words: "the VFIO node" },
} as const;

/**
 * Inspects a device node for this guest alone. The node's number must match its kind: a guest gets no other
 * device under the name. Throws "not-found", "unsupported".
 */
export function resolveDeviceNode(host: Host, { kind, path }: NodeResource): ResolvedFile {
  if (kind === "sgx-device") return resolveSgx(host, path);
  const facts = nodeAt(host, path, kind);
  return { named: path, facts, role: LABEL_ROLES[kind]["read-write"].role, override: undefined };
}

/** Inspects a node of SGX. QEMU opens it by its name. Throws "not-found", "unsupported". */
function resolveSgx(host: Host, path: string): ResolvedFile {
  if (host.inspectFile(path) === undefined) {
    throw new SvirtError(`Cannot give the guest SGX memory (model='sgx-epc'): the host has no ${path}`, {
      kind: "not-found",
      remedy: "Enable SGX in the firmware, and boot a kernel with CONFIG_X86_SGX_KVM.",
    });
  }
  const facts = nodeAt(host, path, "sgx-device");
  const { role } = LABEL_ROLES["sgx-device"]["read-write"];
  return { named: path, facts, role, override: undefined, isFoundByQemu: true };
}

/**
 * Inspects the file for cancelling a TPM's commands; /dev/null replaces a missing file. Throws "not-found".
 */
export function resolveTpmCancel(host: Host, path: string): ResolvedFile {
  const found = host.inspectFile(path);
  const facts = found ?? host.inspectFile("/dev/null");
  if (facts === undefined) throw missing(path);
  const { role } = LABEL_ROLES["tpm-cancel"][found === undefined ? "missing" : "read-write"];
  return { named: path, facts, role, override: undefined };
}

/**
 * Inspects the generic node of a SCSI device, by its folder in sysfs. Throws "not-found", "unsupported",
 * "wrong-state".
 */
export function resolveScsiNode(host: Host, resource: ScsiResource): ResolvedFile {
  const [name] = host.listFolder(resource.path);
  if (name === undefined) {
    throw new SvirtError(
      `Cannot find the SCSI device ${resource.path}: it does not exist, or has no generic node`,
      {
        kind: "not-found",
        remedy: "Correct the address (lsscsi -g lists the devices), and load the module sg.",
      },
    );
  }
  const facts = nodeAt(host, `/dev/${name}`, "scsi-device");
  if (resource.access === "read-write") refuseBusyUnit(host, resource.path);
  const { role } = LABEL_ROLES["scsi-device"][useOfDisk(resource)];
  return { named: resource.path, facts, role, override: undefined };
}

/** Throws "wrong-state" for a disk in use: commands to its generic node write it like its block device. */
function refuseBusyUnit(host: Host, generic: string): void {
  const folder = `${folderOf(generic)}/block`;
  for (const name of host.listFolder(folder)) {
    const node = host.readText(`${folder}/${name}/dev`)?.trim() ?? "";
    refuseBusyDisk(host, { path: `/dev/${name}`, node });
  }
}

/**
 * Inspects the node of an IOMMU group that is passed through; it may not exist yet. Throws "not-found",
 * "unsupported".
 */
export function resolveVfioGroup(host: Host, group: string, isToCome: boolean): ResolvedFile {
  const path = vfioGroupNode(group);
  const planned = isToCome && host.inspectFile(path) === undefined;
  const facts = planned ? factsOfPlanned(path) : nodeAt(host, path, "vfio-device");
  const { role } = LABEL_ROLES["vfio-device"]["read-write"];
  return { named: facts.id.path, facts, role, override: undefined, isFoundByQemu: true };
}

/**
 * Returns the path of the node of an IOMMU group. It exists while a VFIO driver has a device of the group.
 */
export function vfioGroupNode(group: string): string {
  return `/dev/vfio/${group}`;
}

/**
 * Inspects the node that puts groups under an IOMMU. It leads to no group by itself: every guest with such a
 * device opens it.
 */
export function resolveVfioContainer(host: Host): ResolvedFile {
  const facts = nodeAt(host, "/dev/vfio/vfio", "vfio-gate");
  const { role } = LABEL_ROLES["vfio-container"]["read-write"];
  return { named: facts.id.path, facts, role, override: undefined, isFoundByQemu: true };
}

function nodeAt(host: Host, path: string, kind: keyof typeof KINDS): FileFacts {
  const facts = inspect(host, path);
  if (facts === undefined) throw missing(path);
  const { node, path: place, words } = KINDS[kind];
  const isOfKind = node.test(facts.id.node ?? "") && place.test(facts.id.path);
  if (facts.type === "character" && isOfKind) return facts;
  const is = facts.id.node === undefined ? `a ${facts.type}` : `the device ${facts.id.node}`;
  throw new SvirtError(`Cannot give ${path} to the guest: it is ${is}, not ${words}`, {
    kind: "unsupported",
    remedy: "Correct the path.",
  });
}
