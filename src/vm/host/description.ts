import { SvirtError } from "../../errors.ts";
import { examineNode } from "../../report/doctor.ts";
import { getNodeFacts, type NodeFacts } from "../../report/node-facts.ts";
import { getQemuVersion } from "../../report/qemu-version.ts";
import { getSysinfo } from "../../report/sysinfo.ts";
import type { Instance } from "../../state/instance.ts";

/** Returns the version of QEMU; undefined if it is not installed or does not answer. */
export async function getHostQemuVersion({ host, paths }: Instance): Promise<string | undefined> {
  return await getQemuVersion(host, paths);
}

/** Returns the facts about the host's processors and memory. */
export function getHostFacts({ host }: Instance): NodeFacts {
  return getNodeFacts(host);
}

/** Returns the host's SMBIOS data as libvirt's XML. Throws "not-found" if the kernel has none. */
export function getSysinfoXml({ host }: Instance): string {
  const xml = getSysinfo(host);
  if (xml !== undefined) return xml;
  throw new SvirtError("Cannot read the host's SMBIOS data: the kernel has no /sys/firmware/dmi/tables", {
    kind: "not-found",
    libvirt: "CONFIG_UNSUPPORTED",
    remedy: "Use a host with SMBIOS, which shows its data in /sys/class/dmi.",
  });
}

/** Checks the requirements of confined guests. */
export async function examineHost({ host, paths }: Instance): ReturnType<typeof examineNode> {
  return await examineNode(host, paths);
}
