import type { PeerSocket } from "../../domain/resources/resource.ts";
import { asSvirtError, SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import { inspect } from "../inspect-file.ts";
import type { ResolvedFile } from "../resolved-file.ts";

/**
 * Inspects another program's socket for a device. While a single guest uses it, it has the guest's label,
 * like any host file of a guest. Throws "not-found", "unsupported", "denied".
 */
export function resolvePeerSocket(host: Host, { override, path, place, sharing }: PeerSocket): ResolvedFile {
  const facts = look(host, path);
  if (facts?.type === "socket")
    return { named: path, facts, role: LABEL_ROLES["peer-socket"][sharing].role, override };
  const is = facts === undefined ? "the socket does not exist" : `it is a ${facts.type}, not a socket`;
  throw new SvirtError(`Cannot connect ${place} to ${path}: ${is}`, {
    kind: facts === undefined ? "not-found" : "unsupported",
    remedy: "Start the program that listens there first, or correct the path.",
  });
}

/** Inspects a socket. svirt's domain is not permitted to inspect sockets in places where no disk may be. */
function look(host: Host, path: string): FileFacts | undefined {
  try {
    return inspect(host, path);
  } catch (error) {
    const { kind, message } = asSvirtError(error);
    if (kind !== "host-call" && kind !== "no-access") throw error;
    throw new SvirtError(message, {
      kind: "denied",
      cause: error,
      remedy: `Let the program listen in a folder for images, such as /srv, or run: chcon -t virt_image_t ${path}`,
    });
  }
}
