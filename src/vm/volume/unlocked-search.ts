import type { FileFacts } from "../../host/files.ts";
import type { Instance } from "../../state/instance.ts";

/** Pass of a search through the headers of volumes. */
export interface SearchPass {
  /** Whether the caller holds the registry's lock. */
  readonly isLocked: boolean;
  /**
   * Paths in headers, or of images, that were followed without the lock; undefined: all may be followed under
   * it.
   */
  readonly followed: ReadonlySet<string> | undefined;
}

/**
 * Stops a search under the registry's lock: these paths are to be followed without the lock first, since
 * their servers may hang.
 */
export class UnfollowedPaths extends Error {
  readonly paths: readonly string[];

  constructor(paths: Iterable<string>) {
    super("paths in headers were not followed yet");
    this.paths = [...paths];
  }
}

/**
 * Whether a folder is on the file system of svirt's own files, which svirt writes under the registry's lock
 * anyway: a look at the folder without the lock would spare other commands no wait.
 */
export function isBesideState({ host, paths }: Instance, { id }: FileFacts): boolean {
  return host.inspectFile(paths.state)?.id.device === id.device;
}
