import type { FileType } from "../../host/file-attributes.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";

/**
 * Returns the type of a disk's source on the host; undefined for a missing file or a relative path. Throws
 * "timeout" if it is on a server that does not answer.
 */
export async function getSourceType({ host }: Instance, source: string): Promise<FileType | undefined> {
  if (!source.startsWith("/")) return undefined;
  await refuseSilentPaths(host, [source]);
  return host.inspectFile(source)?.type;
}
