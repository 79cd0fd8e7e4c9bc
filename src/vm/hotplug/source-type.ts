import type { FileType } from "../../host/files.ts";
import type { Instance } from "../../state/instance.ts";

/** Returns the type of a disk's source on the host; undefined for a missing file or a relative path. */
export function getSourceType({ host }: Instance, source: string): FileType | undefined {
  return source.startsWith("/") ? host.inspectFile(source)?.type : undefined;
}
