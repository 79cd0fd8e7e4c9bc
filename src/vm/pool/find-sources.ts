import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import {
  formatNfsSources,
  parseExports,
  serverOf,
  showmountCommand,
} from "../../storage/pool/found-sources.ts";
import { discoveryRefusal } from "../../storage/pool/rules/discovery.ts";
import { findGroups } from "./made/find-groups.ts";

const SHOWMOUNT = "/usr/sbin/showmount";

/**
 * Returns the XML of the sources that pools of a type may have: the exports of an NFS server, or the volume groups of this host. Throws
 * "unsupported" for another type and without the program that finds them; "denied" for a restricted key and a server; "failed" for a
 * server that does not answer. storageConnectFindStoragePoolSources() of libvirt
 */
export async function findSources(
  instance: Instance,
  type: string,
  spec: () => Uint8Array | undefined,
): Promise<string> {
  if (type === "logical") return await findGroups(instance.host);
  if (type === "netfs") return await findExports(instance, spec());
  throw discoveryRefusal(type);
}

/** virStorageBackendFileSystemNetFindPoolSources() of libvirt */
async function findExports({ host, isForKey }: Instance, spec: Uint8Array | undefined): Promise<string> {
  const server = serverOf(spec);
  if (isForKey === true)
    throw refusal("a restricted key asks no servers", "denied", "Search as root on the node.");
  if (host.inspectFile(SHOWMOUNT) === undefined)
    throw refusal(`this host has no ${SHOWMOUNT}`, "unsupported", "Install nfs-common or nfs-utils.");
  const words = showmountCommand(SHOWMOUNT, server);
  const found = await host.readOutput(words);
  if ("text" in found) return formatNfsSources(server, parseExports(found.text));
  throw new SvirtError(`operation failed: no storage pools were found on host '${server}'`, {
    kind: "failed",
    libvirt: "OPERATION_FAILED",
    from: "STORAGE",
    remedy: `Run it yourself and read its message: ${words.join(" ")}`,
  });
}

function refusal(why: string, kind: "denied" | "unsupported", remedy: string): SvirtError {
  return new SvirtError(`Cannot find sources of storage pools of type netfs: ${why}`, { kind, remedy });
}
