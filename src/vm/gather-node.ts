import type { NodeResource, Resource } from "../domain/resources.ts";
import { SvirtError } from "../errors.ts";
import type { FileFacts, Host } from "../host.ts";
import { diskRole } from "../label/file-rule.ts";
import { inspect, missing } from "./inspect-file.ts";
import type { UsedFile } from "./used-file.ts";

type ScsiResource = Extract<Resource, { readonly kind: "scsi-device" }>;

/**
 * Devices that a guest is given, by the numbers that the kernel gives their nodes: a TPM's is one of many under 10, so its
 * name tells. Documentation/admin-guide/devices.txt of Linux
 */
const KINDS = {
  "input-device": { node: /^13:/, path: /^\/dev\//, words: "a keyboard, mouse or the like" },
  "usb-device": { node: /^189:/, path: /^\/dev\//, words: "a USB device" },
  "tpm-device": { node: /./, path: /^\/dev\/tpm\d+$/, words: "a TPM" },
  "vhost-scsi": { node: /^10:/, path: /^\/dev\/vhost-scsi$/, words: "the node of vhost-scsi" },
  "scsi-device": { node: /^21:/, path: /^\/dev\/sg\d+$/, words: "a SCSI device's generic node" },
  "vfio-device": { node: /./, path: /^\/dev\/vfio\/\d+$/, words: "a VFIO group" },
} as const;

/**
 * A device node of that kind, which the guest has to itself. Nothing that only calls itself so: a guest gets no other
 * device by another name. Throws "not-found", "unsupported".
 */
export function gatherNode(host: Host, { kind, path }: NodeResource): UsedFile {
  const facts = nodeAt(host, path, kind);
  // Every guest with such a device has it open, so no guest's own label can be on it.
  return { named: path, facts, role: kind === "vhost-scsi" ? "shared" : "private", override: undefined };
}

/** What cancels a TPM's commands; a TPM without such a file gets a command's end instead. Throws "not-found". */
export function gatherCancel(host: Host, path: string): UsedFile {
  const found = host.inspectFile(path);
  const facts = found ?? host.inspectFile("/dev/null");
  if (facts === undefined) throw missing(path);
  return { named: path, facts, role: found === undefined ? "host" : "private", override: undefined };
}

/** The generic node of a SCSI device, by its folder in sysfs. Throws "not-found", "unsupported". */
export function gatherScsi(host: Host, resource: ScsiResource): UsedFile {
  const [name] = host.listFolder(resource.path);
  if (name === undefined) {
    throw new SvirtError(
      `Cannot find the SCSI device ${resource.path}: it is not there, or has no generic node`,
      {
        kind: "not-found",
        remedy: "Correct the address (lsscsi -g lists them), and load the module sg.",
      },
    );
  }
  const facts = nodeAt(host, `/dev/${name}`, "scsi-device");
  return { named: resource.path, facts, role: diskRole(resource), override: undefined };
}

/** The node of the group that a device is passed through with. Throws "not-found", "wrong-state". */
export function gatherVfio(host: Host, path: string): UsedFile {
  if (host.inspectFile(path) === undefined) throw missing(path);
  const group = host.inspectFile(`${path}/iommu_group`)?.id.path.replace(/^.*\//, "");
  const driver = host.inspectFile(`${path}/driver`)?.id.path.replace(/^.*\//, "");
  if (group === undefined) {
    throw new SvirtError(`Cannot pass ${path} through: the host does not isolate its devices`, {
      kind: "wrong-state",
      remedy:
        "Switch the IOMMU on, in the firmware and with intel_iommu=on or amd_iommu=on on the kernel's command line.",
    });
  }
  if (path.startsWith("/sys/bus/pci/") && driver !== "vfio-pci") {
    throw new SvirtError(`Cannot pass ${path} through: the host uses it (driver ${driver ?? "none"})`, {
      kind: "wrong-state",
      remedy: `Run: driverctl set-override ${path.replace(/^.*\//, "")} vfio-pci`,
    });
  }
  const facts = nodeAt(host, `/dev/vfio/${group}`, "vfio-device");
  return { named: path, facts, role: "private", override: undefined, isFoundByQemu: true };
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
