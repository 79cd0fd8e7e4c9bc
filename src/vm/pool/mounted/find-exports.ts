import { SvirtError } from "../../../errors.ts";
import type { Instance } from "../../../state/instance.ts";
import {
  formatNfsSources,
  parseExports,
  serverOf,
  showmountCommand,
} from "../../../storage/pool/found-sources.ts";

const SHOWMOUNT = "/usr/sbin/showmount";

/**
 * Returns the XML of the exports of an NFS server. Throws "unsupported" without the program that finds them;
 * "denied" for a restricted key; "failed" for a server that does not answer.
 * virStorageBackendFileSystemNetFindPoolSources() of libvirt
 */
export async function findExports(
  { host, isForKey }: Instance,
  spec: () => Uint8Array | undefined,
): Promise<string> {
  const server = serverOf(spec());
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
