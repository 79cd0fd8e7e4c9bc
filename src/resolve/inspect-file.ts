import { SvirtError } from "../errors.ts";
import type { FileFacts, FileType, Host } from "../host/host.ts";
import type { ImageReader } from "../images/chain.ts";
import { refuseImpossibleTarget } from "../label/protected-paths.ts";
import { FILE_TO_COME } from "../plan/facts/file.ts";

/** By its name and by what that leads to. By the name first: svirt's own domain may not even look at some of them. */
export function inspect(host: Host, path: string): FileFacts | undefined {
  refuseImpossibleTarget(path);
  const facts = host.inspectFile(path);
  if (facts !== undefined) refuseImpossibleTarget(facts.id.path);
  return facts;
}

/** How the chain of an image is followed on the host, where `overlays` are, or will be, besides what is there. */
export function imageReader(
  host: Host,
  overlays: ReadonlyMap<string, Uint8Array> = new Map(),
): ImageReader<FileFacts> {
  return {
    facts: (path) =>
      overlays.has(path) ? (host.inspectFile(path) ?? factsOfPlanned(path)) : inspect(host, path),
    read: ({ id }, offset, length) =>
      overlays.get(id.path)?.slice(offset, offset + length) ?? host.readBytes(id, offset, length),
  };
}

/** A file that a start would make: what it will be called is all that is known of it. */
export function factsOfPlanned(path: string): FileFacts {
  return {
    id: { path, ...FILE_TO_COME },
    type: "file",
    sizeBytes: 0,
    allocatedBytes: 0,
    modifiedMs: 0,
    uid: 0,
    gid: 0,
    mode: 0o600,
  };
}

/** What is named and is not there. */
export function missing(path: string): SvirtError {
  return new SvirtError(`Cannot access file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Put the file in its place, or correct the path.",
  });
}

/** What is there and is no regular file. */
export function wrongType(path: string, type: FileType): SvirtError {
  return new SvirtError(`Cannot use ${path}: it is a ${type}, not a file`, {
    kind: "unsupported",
    remedy: "Name a regular file.",
  });
}
