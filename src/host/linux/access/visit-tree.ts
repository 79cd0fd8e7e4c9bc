import { chownSync, closeSync, constants, fstatSync, openSync } from "node:fs";
import { asSvirtError, SvirtError } from "../../../errors.ts";
import type { TreeEntry } from "../../file-attributes.ts";
import type { Host } from "../../host.ts";
import { fileFacts, listChildren, openPath, openSame } from "../files/file-id.ts";
import { orThrow, unlessMissing } from "../files/files.ts";
import { attributesAt } from "../labels/xattr.ts";
import { grantOn, revokeOn } from "./file-access.ts";

/** Limit on the depth, since each level keeps a descriptor open. */
const MOST_LEVELS = 400;

type Visit<T> = (entry: TreeEntry, above: T) => T;

/**
 * Implements Host.visitTree: opens each name once without following it, and acts on it by that descriptor.
 */
export const visitTree: Host["visitTree"] = (folder, above, visit) => {
  const deep: string[] = [];
  const fd = orThrow(`open ${folder.path}`, () =>
    openSame(folder, constants.O_RDONLY | constants.O_DIRECTORY),
  );
  enter({ fd, path: folder.path, device: folder.device, levels: 0, deep }, above, visit);
  if (deep[0] !== undefined) throw tooDeep(deep[0]);
};

interface Place {
  readonly fd: number;
  readonly path: string;
  /** Device of the whole tree. */
  readonly device: string;
  readonly levels: number;
  /** Folders without visits to their content. */
  readonly deep: string[];
}

/** Visits the folder and its entries, and closes it. */
function enter<T>(place: Place, above: T, visit: Visit<T>): void {
  const { deep, fd, levels, path } = place;
  try {
    const below = visit(entryOf(fd, path), above);
    if (levels === MOST_LEVELS) {
      deep.push(path);
      return;
    }
    for (const { at, name } of orThrow(`list ${path}`, () => listChildren(fd))) {
      const child = unlessMissing(`open ${name}`, () => openPath(at));
      // The entry no longer exists.
      if (child === undefined) continue;
      const inside = { ...place, fd: child, path: `${path}/${name}`, levels: levels + 1 };
      if (isBelow(inside)) enter(reopened(inside), below, visit);
      else visitLeaf(inside, below, visit);
    }
  } finally {
    closeSync(fd);
  }
}

function visitLeaf<T>({ fd, path }: Place, above: T, visit: Visit<T>): void {
  try {
    visit(entryOf(fd, path), above);
  } finally {
    closeSync(fd);
  }
}

/** Reports whether the entry is a folder on which no other file system is mounted. */
function isBelow({ device, fd, path }: Place): boolean {
  const { id, type } = entryOf(fd, path);
  return type === "folder" && id.device === device;
}

/** Opens the folder again, for its list. */
function reopened(place: Place): Place {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  try {
    return {
      ...place,
      fd: orThrow(`open ${place.path}`, () => openSync(`/proc/self/fd/${place.fd}`, flags)),
    };
  } finally {
    closeSync(place.fd);
  }
}

function entryOf(fd: number, path: string): TreeEntry {
  const at = `/proc/self/fd/${fd}`;
  const stat = fstatSync(fd, { bigint: true });
  const { id, type, uid } = fileFacts(path, stat);
  const named = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw sayingPath(error, at, path);
    }
  };
  return {
    id,
    type: stat.isSymbolicLink() ? "symlink" : type,
    uid,
    gid: Number(stat.gid),
    links: Number(stat.nlink),
    ...attributesAt({ at, shown: path }),
    setOwner: (owner, group) =>
      orThrow(`change the owner of ${path} to user ${owner}`, () => chownSync(at, owner, group)),
    grantAccess: (granted) => named(() => grantOn(at, path, granted)),
    revokeAccess: (user) => {
      // A symlink has no ACL.
      if (!stat.isSymbolicLink()) named(() => revokeOn(at, user));
    },
  };
}

/** Returns the same error with the operator's path. */
function sayingPath(error: unknown, at: string, path: string): SvirtError {
  const { kind, message, remedy } = asSvirtError(error);
  return new SvirtError(message.replaceAll(at, path), { kind, remedy, cause: error });
}

function tooDeep(path: string): SvirtError {
  return new SvirtError(`Cannot walk ${path}: its folders are nested more than ${MOST_LEVELS} levels deep`, {
    kind: "unsupported",
    remedy: `Run: rm -r ${path}`,
  });
}
