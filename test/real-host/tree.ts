import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { FileFacts } from "../../src/host/files.ts";
import { parseAcl } from "../../src/host/linux/access/posix-acl.ts";
import { inspectFile } from "../../src/host/linux/files/inspect-file.ts";
import { getxattr, getxattrBytes, setxattr } from "../../src/host/linux/labels/xattr.ts";
import {
  type FileSystem,
  FileTree,
  type Inode,
  type InodeOptions,
  type Place,
} from "../memory-host/file-tree.ts";

/** Tag of a named user. acl(5), linux/posix_acl.h ACL_USER */
const NAMED_USER = 2;
const READ_WRITE = 6;

/** A tree in memory, of which some folders are real, each below one folder of this machine. */
export class RealTree extends FileTree {
  readonly #folder: string;
  readonly #mounts: readonly string[];
  readonly #inodes = new Map<string, RealInode>();

  constructor(folder: string, mounts: readonly string[]) {
    super();
    this.#folder = folder;
    this.#mounts = mounts;
    for (const mount of mounts) mkdirSync(`${folder}${mount}`, { recursive: true, mode: 0o700 });
  }

  /** Returns the real path of a path in the tree; undefined if it is in memory. */
  realPath(path: string): string | undefined {
    const isReal = this.#mounts.some((mount) => path === mount || path.startsWith(`${mount}/`));
    return isReal ? `${this.#folder}${path}` : undefined;
  }

  /** Returns the path in the tree of a real path. */
  namedPath(real: string): string {
    return real.startsWith(`${this.#folder}/`) ? real.slice(this.#folder.length) : real;
  }

  override find(path: string, followsLast = true, hops = 0): Place | undefined {
    const real = this.realPath(path);
    if (real === undefined) return super.find(path, followsLast, hops);
    if (inspectFile(real) === undefined) return undefined;
    const inode = this.#inodes.get(real) ?? new RealInode(real);
    this.#inodes.set(real, inode);
    return { path, inode };
  }

  override put(path: string, type: Inode["type"], options: InodeOptions = {}): Inode {
    const real = this.realPath(path);
    if (real === undefined) return super.put(path, type, options);
    const { bytes = new Uint8Array(), mode = 0o600 } = options;
    if (type === "folder") mkdirSync(real, { mode });
    else writeFileSync(real, bytes, { mode });
    return this.get(path);
  }
}

/** A real file, inspected at each access. */
class RealInode implements Inode {
  readonly target = "";
  readonly entries = new Map<string, Inode>();
  readonly xattrs: Map<string, string>;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.xattrs = new RealXattrs(path);
  }

  get type(): Inode["type"] {
    return this.#facts.type;
  }
  get fileSystem(): FileSystem {
    return { device: this.#facts.id.device, keepsLabels: true };
  }
  get inode(): string {
    return this.#facts.id.inode;
  }
  get node(): string | undefined {
    return this.#facts.id.node;
  }
  get mode(): number {
    return this.#facts.mode;
  }
  get uid(): number {
    return this.#facts.uid;
  }
  get gid(): number {
    return this.#facts.gid;
  }
  get bytes(): Uint8Array {
    return readFileSync(this.#path);
  }
  get acl(): Map<number, string> {
    const entries = parseAcl(getxattrBytes(this.#path, "system.posix_acl_access"), this.mode);
    const users = entries.filter(({ tag }) => tag === NAMED_USER);
    return new Map(
      users.map(({ id, permissions }) => [id, permissions === READ_WRITE ? "read-write" : "read-only"]),
    );
  }

  get #facts(): FileFacts {
    const facts = inspectFile(this.#path);
    if (facts === undefined) throw new Error(`${this.#path} is not there`);
    return facts;
  }
}

/** Attributes of a real file, by name. */
class RealXattrs extends Map<string, string> {
  readonly #path: string;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  override get(name: string): string | undefined {
    return getxattr(this.#path, name);
  }

  override set(name: string, value: string): this {
    setxattr(this.#path, name, new TextEncoder().encode(`${value}\0`));
    return this;
  }
}
