import { SvirtError } from "../../src/errors.ts";
import type { FileType } from "../../src/host/file-attributes.ts";
import type { FileFacts } from "../../src/host/files.ts";
import type { StorageFacts } from "../../src/label/seen-by-others.ts";
import type { FileId } from "../../src/plan/facts/file.ts";

/** A file system: its number in st_dev, and whether its files support labels. */
export interface FileSystem {
  device: string;
  readonly keepsLabels: boolean;
  /** Supported attributes besides labels; absent: all of them, including `trusted.*` for root. */
  readonly marks?: "user" | "none";
  /** Type by statfs(2), and the disks below it; absent: ext4 on a local disk. */
  readonly storage?: Pick<StorageFacts, "fileSystems" | "disks">;
}

/** Entries of a folder. */
export class Entries extends Map<string, Inode> {
  /** Number of changes, in place of the time of the last one. */
  changes = 0;

  override set(name: string, inode: Inode): this {
    this.changes += 1;
    return super.set(name, inode);
  }

  override delete(name: string): boolean {
    this.changes += 1;
    return super.delete(name);
  }
}

/** An entry of the file system of any type, with its content and attributes. */
export interface Inode {
  readonly type: FileType | "symlink";
  readonly fileSystem: FileSystem;
  readonly inode: string;
  readonly node: string | undefined;
  readonly target: string;
  readonly entries: Map<string, Inode>;
  readonly xattrs: Map<string, string>;
  /** Access of users besides owner and group, by uid. acl(5) */
  readonly acl: Map<number, string>;
  mode: number;
  uid: number;
  gid: number;
  bytes: Uint8Array;
}

/** An inode and the path that leads to it, with symlinks resolved. */
export interface Place {
  readonly path: string;
  readonly inode: Inode;
}

/** Properties of a new inode; absent ones are as for an empty file that root creates. */
export type InodeOptions = Partial<
  Pick<Inode, "mode" | "uid" | "gid" | "node" | "target" | "bytes" | "fileSystem">
>;

const MOST_LINKS = 40;
const LABEL = "security.selinux";

/**
 * Folders, files, symlinks and device nodes, each with its inode. Every change takes effect immediately and
 * completely.
 */
export class FileTree {
  readonly disk: FileSystem = { device: "8:1", keepsLabels: true };
  #lastInode = 1;
  readonly root: Inode = this.#inode("folder", { mode: 0o755, fileSystem: this.disk });

  /**
   * Returns the inode at a path; undefined if it is missing. Follows a last symlink only with `followsLast`.
   */
  find(path: string, followsLast = true, hops = 0): Place | undefined {
    if (hops > MOST_LINKS) throw hostCall(`open ${path}`, "ELOOP: too many symbolic links");
    const words = path.split("/").filter((word) => word !== "" && word !== ".");
    let place: Place = { path: "/", inode: this.root };
    for (const [at, word] of words.entries()) {
      const next = word === ".." ? this.#parentOf(place) : child(place, word);
      if (next === undefined) return undefined;
      const rest = words.slice(at + 1);
      if (next.inode.type === "symlink" && (followsLast || rest.length > 0)) {
        return this.find(linkTarget(place.path, next.inode.target, rest), followsLast, hops + 1);
      }
      place = next;
    }
    return place;
  }

  /** Throws "host-call" if the path is missing. */
  get(path: string): Inode {
    const place = this.find(path);
    if (place === undefined) throw hostCall(`open ${path}`, "ENOENT: no such file or directory");
    return place.inode;
  }

  /**
   * Returns the file that was inspected. Throws "host-call" if the path is missing, "denied" if it leads to
   * another file.
   */
  getSame(file: FileId): Inode {
    const place = this.find(file.path, false);
    if (place === undefined) throw hostCall(`open ${file.path}`, "ENOENT: no such file or directory");
    const now = factsOf(place).id;
    if (now.device === file.device && now.inode === file.inode && now.node === file.node) return place.inode;
    throw new SvirtError(`Cannot open ${file.path}: the file was replaced after svirt inspected it`, {
      kind: "denied",
      remedy: "Start it again.",
    });
  }

  /** Creates an inode at a path and replaces an existing one. Throws "host-call" if the folder is missing. */
  put(path: string, type: Inode["type"], options: InodeOptions = {}): Inode {
    const { folder, name } = this.#split(path);
    const made = this.#inode(type, { fileSystem: folder.fileSystem, ...options });
    const label = folder.xattrs.get(LABEL);
    // Like a kernel without a rule in the policy: a new file has its folder's label. Without labels all files
    // have the mount's.
    const isLabelled = made.fileSystem.keepsLabels || made.fileSystem === folder.fileSystem;
    if (label !== undefined && isLabelled && type !== "symlink") made.xattrs.set(LABEL, label);
    folder.entries.set(name, made);
    return made;
  }

  /** Creates a folder and its missing parents. Returns an existing folder unchanged. */
  putFolder(path: string, mode = 0o755): Inode {
    const above = path.slice(0, path.lastIndexOf("/"));
    if (above !== "" && this.find(above) === undefined) this.putFolder(above, mode);
    return this.find(path)?.inode ?? this.put(path, "folder", { mode });
  }

  /** Removes a path with all entries below it. Does nothing if it is missing. */
  remove(path: string): void {
    const cut = path.lastIndexOf("/");
    this.find(path.slice(0, cut) || "/")?.inode.entries.delete(path.slice(cut + 1));
  }

  /** Yields every path with its inode, a folder before its entries. */
  *walk(from: Place = { path: "/", inode: this.root }): Generator<Place> {
    yield from;
    for (const name of [...from.inode.entries.keys()].sort()) {
      const next = child(from, name);
      if (next !== undefined) yield* this.walk(next);
    }
  }

  #split(path: string): { folder: Inode; name: string } {
    const cut = path.lastIndexOf("/");
    const folder = this.get(path.slice(0, cut) || "/");
    if (folder.type !== "folder") throw hostCall(`make ${path}`, "ENOTDIR: not a directory");
    return { folder, name: path.slice(cut + 1) };
  }

  #parentOf(place: Place): Place | undefined {
    return this.find(place.path.slice(0, place.path.lastIndexOf("/")) || "/");
  }

  #inode(type: Inode["type"], options: InodeOptions & Pick<Inode, "fileSystem">): Inode {
    this.#lastInode += 1;
    return {
      type,
      fileSystem: options.fileSystem,
      inode: String(this.#lastInode),
      node: options.node,
      target: options.target ?? "",
      entries: new Entries(),
      xattrs: new Map(),
      acl: new Map(),
      mode: options.mode ?? 0o600,
      uid: options.uid ?? 0,
      gid: options.gid ?? 0,
      bytes: options.bytes ?? new Uint8Array(),
    };
  }
}

/** Returns the facts that stat(2) would report. */
export function factsOf({ inode, path }: Place): FileFacts {
  const { entries, fileSystem, gid, mode, node, type, uid } = inode;
  const changed = entries instanceof Entries ? BigInt(entries.changes) : 0n;
  return {
    id: {
      path,
      device: fileSystem.device,
      inode: inode.inode,
      ...(node === undefined ? {} : { node }),
    },
    // Callers read the type only of a path whose last symlink was followed.
    type: type === "symlink" ? "file" : type,
    sizeBytes: inode.bytes.length,
    modifiedMs: 0,
    times: { accessedNs: 0n, modifiedNs: changed, changedNs: changed },
    allocatedBytes: inode.bytes.length,
    uid,
    gid,
    mode,
  };
}

/** Returns the error of a failed system call. */
export function hostCall(attempt: string, words: string): SvirtError {
  return new SvirtError(`Cannot ${attempt}: ${words}`, { kind: "host-call", remedy: "Correct the path." });
}

function linkTarget(folder: string, target: string, rest: readonly string[]): string {
  return [target.startsWith("/") ? target : `${folder}/${target}`, ...rest].join("/");
}

function child(place: Place, name: string): Place | undefined {
  const inode = place.inode.entries.get(name);
  if (inode === undefined) return undefined;
  return { path: place.path === "/" ? `/${name}` : `${place.path}/${name}`, inode };
}
