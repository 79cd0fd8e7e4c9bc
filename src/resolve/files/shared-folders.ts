import type { Domain } from "../../domain/domain.ts";
import type { Resource } from "../../domain/resources/resource.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { isGuestPlace, MOVE_TO_GUESTS } from "../../label/guest-places.ts";
import { refuseHostFolder } from "../../label/protected-paths.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import { inspect } from "../inspect-file.ts";
import { placeOf, refuseWritten } from "../places/writable-places.ts";
import type { ResolvedFile } from "../resolved-file.ts";

/** Folder shared by the guest with the host. */
export interface ResolvedFolder extends ResolvedFile {
  readonly access: "read-only" | "read-write";
  /** All its paths in the XML. */
  readonly names: readonly string[];
}

/**
 * Lists the shared folders of a domain, each once. Throws "not-found", "unsupported", "denied" for a folder
 * of the host.
 */
export function resolveFolders(host: Host, domain: Domain): readonly ResolvedFolder[] {
  const found = listResources(domain).flatMap((resource) =>
    resource.kind === "shared-folder" ? [resolveFolder(host, resource)] : [],
  );
  const isSame = (one: ResolvedFile, other: ResolvedFile): boolean =>
    one.facts.id.path === other.facts.id.path;
  const twice = found.find((folder) =>
    found.some((other) => isSame(folder, other) && other.access !== folder.access),
  );
  if (twice !== undefined) {
    throw new SvirtError(
      `Cannot share ${twice.named} with the guest: one <filesystem> is writable and another is read-only`,
      {
        kind: "unsupported",
        remedy: "Write <readonly/> into both <filesystem> elements, or into none.",
      },
    );
  }
  return found
    .filter((folder, at) => found.findIndex((other) => isSame(folder, other)) === at)
    .map((folder) => ({
      ...folder,
      names: found.filter((other) => isSame(folder, other)).map(({ named }) => named),
    }));
}

function resolveFolder(
  host: Host,
  resource: Extract<Resource, { kind: "shared-folder" }>,
): Omit<ResolvedFolder, "names"> {
  const { access, path: named } = resource;
  refuseHostFolder(named);
  const facts = inspect(host, named);
  if (facts === undefined || facts.type !== "folder") {
    const what = facts === undefined ? "No such file or directory" : `it is a ${facts.type}, not a folder`;
    throw new SvirtError(`Cannot share '${named}' with the guest: ${what}`, {
      kind: facts === undefined ? "not-found" : "unsupported",
      remedy: `Run: mkdir ${named}`,
    });
  }
  refuseHostFolder(facts.id.path);
  if (access === "read-write") refuseWritten(host, facts);
  else refuseRead(host, facts, named);
  return { named, facts, access, role: LABEL_ROLES["shared-folder"][access].role, override: undefined };
}

/**
 * Refuses a folder outside of guests' places, although its guest only reads it: the guest's user gets access
 * to each file in it.
 */
function refuseRead(host: Host, facts: FileFacts, named: string): void {
  if (isGuestPlace(placeOf(host, facts))) return;
  throw new SvirtError(`Cannot share ${named} with the guest: it is not a folder for guests' files`, {
    kind: "denied",
    remedy: MOVE_TO_GUESTS,
  });
}
