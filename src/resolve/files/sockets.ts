import type { LabelOverride, Resource } from "../../domain/resources/resource.ts";
import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { refuseImpossibleTarget } from "../../label/protected-paths.ts";
import type { FileRole } from "../../label/role.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { inspect } from "../inspect-file.ts";
import { placeOfMade } from "../places/writable-places.ts";

/** Socket of the XML outside the guest's folder, and its future folder. */
export interface ResolvedSocket {
  /** Its path in the XML. */
  readonly named: string;
  /** Path with the symlinks of its folder resolved. */
  readonly path: string;
  readonly folder: FileId;
  readonly override: LabelOverride | undefined;
  readonly role: FileRole;
  /**
   * Number of the interface whose QEMU creates the socket in the guest's folder; absent if svirt creates it
   * here.
   */
  readonly interface?: number;
}

/**
 * Lists the sockets. Throws "not-found" without the folder, "denied" if it belongs to the host, "unsupported"
 * for a path used twice.
 */
export function resolveSockets(host: Host, resources: readonly Resource[]): readonly ResolvedSocket[] {
  const found = resources.flatMap((resource) => {
    if (resource.kind === "chardev-socket") return [resolveNamedSocket(host, resource)];
    if (resource.kind !== "guest-socket") return [];
    return [
      { ...resolveNamedSocket(host, { ...resource, override: undefined }), interface: resource.interface },
    ];
  });
  const twice = found.find(({ path }, at) => found.findIndex((other) => other.path === path) !== at);
  if (twice === undefined) return found;
  throw new SvirtError(`Cannot listen at ${twice.named} for the guest: two of its devices name that path`, {
    kind: "unsupported",
    remedy: "Write another path for one of them, or leave both paths out.",
  });
}

interface NamedSocket {
  readonly kind: "chardev-socket" | "guest-socket";
  readonly path: string;
  readonly override: LabelOverride | undefined;
}

function resolveNamedSocket(host: Host, { kind, override, path }: NamedSocket): ResolvedSocket {
  refuseImpossibleTarget(path);
  const cut = path.lastIndexOf("/");
  const [above, name] = [path.slice(0, cut) || "/", path.slice(cut + 1)];
  const folder = above === "/" ? undefined : inspect(host, above);
  if (folder?.type !== "folder" || ["", ".", ".."].includes(name)) {
    throw new SvirtError(
      `Cannot listen at ${path} for the guest: ${above} does not exist or may not be used`,
      {
        kind: "not-found",
        remedy:
          "Create the folder, or leave the path out: the socket is then in the guest's run-time folder.",
      },
    );
  }
  const { role } = LABEL_ROLES[kind]["read-write"];
  return { named: path, path: placeOfMade(host, path, "listener"), folder: folder.id, override, role };
}
