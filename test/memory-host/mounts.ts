import { SvirtError } from "../../src/errors.ts";
import type { Host } from "../../src/host/host.ts";
import type { Mount } from "../../src/host/mounts.ts";
import { registryLock, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import type { MountOrder } from "../../src/storage/pool/mount/mount-order.ts";
import { Entries, type FileSystem, hostCall, type Inode } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import type { Svirt } from "./svirt.ts";
import { attributesOf } from "./xattr-calls.ts";

const LABEL = "security.selinux";
const MOUNTS = "/proc/self/mountinfo";
/** Number below that of the first file system that shows a folder of another one. */
const FIRST_VIEW = 90;

interface MemoryMount extends Mount {
  /** Folder below the mount. */
  readonly covered: Inode;
}

/** File systems that can be mounted, and the mounts. */
export class Mounts {
  readonly #machine: Machine;
  readonly #roots = new Map<string, Inode>();
  #mounted: MemoryMount[] = [];
  #views = 0;
  /** Orders that were opened. */
  readonly orders: MountOrder[] = [];
  /** Mount points with a file that a program uses. */
  readonly busy = new Set<string>();
  /** Mount points whose server does not answer. */
  readonly silent = new Set<string>();
  /** Mounts have the label of their files, whatever an order says. */
  ignoresContext = false;
  /** Fails an order. */
  fail: (order: MountOrder) => void = () => undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Adds a device or a server's folder with a file system. Its files have this label. */
  add(source: string, fileSystem: FileSystem, label: string): Inode {
    const { files } = this.#machine;
    const root = files.put("/dev/.new", "folder", { mode: 0o755, fileSystem });
    files.remove("/dev/.new");
    root.xattrs.set(LABEL, label);
    this.#roots.set(source, root);
    return root;
  }

  list(): readonly Mount[] {
    return this.#mounted;
  }

  open(order: MountOrder): Inode {
    this.orders.push(order);
    this.fail(order);
    const root = this.#roots.get(order.source) ?? this.#viewOf(order.source);
    const context = this.ignoresContext ? undefined : contextOf(order);
    if (context !== undefined) setLabels(root, context);
    return root;
  }

  attach(path: string, root: Inode, { attempts, source }: MountOrder): void {
    const { files } = this.#machine;
    const type = attempts[0]?.type ?? "";
    const { device } = root.fileSystem;
    const context = contextOf({ attempts });
    this.#mounted.push({ path, type, source, device, context, covered: files.get(path) });
    this.#place(path, root);
    this.#show();
  }

  detach(path: string): void {
    const mount = this.#mounted.findLast((one) => one.path === path);
    if (mount === undefined) throw hostCall(`unmount ${path}`, "EINVAL");
    if (this.busy.has(path) || this.#mounted.some((one) => one.path.startsWith(`${path}/`)))
      throw new SvirtError(`Cannot unmount ${path}: a program uses a file in it`, {
        kind: "in-use",
        remedy: "End it.",
      });
    this.#mounted = this.#mounted.filter((one) => one !== mount);
    this.#place(path, mount.covered);
    this.#show();
  }

  /** Removes all mounts, as the end of a boot does. */
  clear(): void {
    for (const { covered, path } of this.#mounted.toReversed()) this.#place(path, covered);
    this.#mounted = [];
    this.#show();
  }

  /** Returns a folder of a file system as another one has it: the same inodes, with other labels. */
  #viewOf(source: string): Inode {
    for (const [above, root] of this.#roots) {
      const names = source.startsWith(`${above}/`) ? source.slice(above.length + 1).split("/") : [];
      const folder = names.reduce<Inode | undefined>((at, name) => at?.entries.get(name), root);
      if (names.length === 0 || folder === undefined) continue;
      this.#views += 1;
      return copyOf(folder, { ...folder.fileSystem, device: `0:${FIRST_VIEW + this.#views}` });
    }
    throw hostCall(`mount ${source}`, "ENODEV");
  }

  /** Shows the mounts whose files have one label, as Linux does. proc_pid_mountinfo(5) */
  #show(): void {
    const { files } = this.#machine;
    const lines = this.#mounted.flatMap(({ context, device, path, source, type }) =>
      context === undefined
        ? []
        : [`61 29 ${device} / ${path} rw - ${type} ${source} rw,context="${context}"\n`],
    );
    if (lines.length === 0) files.remove(MOUNTS);
    if (lines.length === 0) return;
    files.putFolder("/proc/self");
    const shown = files.find(MOUNTS)?.inode ?? files.put(MOUNTS, "file");
    shown.bytes = new TextEncoder().encode(lines.join(""));
  }

  #place(path: string, inode: Inode): void {
    const cut = path.lastIndexOf("/");
    this.#machine.files.get(path.slice(0, cut) || "/").entries.set(path.slice(cut + 1), inode);
  }
}

function contextOf({ attempts }: Pick<MountOrder, "attempts">): string | undefined {
  return attempts[0]?.options.find((option) => option.startsWith("context="))?.slice("context=".length);
}

function setLabels({ entries, xattrs }: Inode, label: string): void {
  xattrs.set(LABEL, label);
  for (const entry of entries.values()) setLabels(entry, label);
}

function copyOf(inode: Inode, fileSystem: FileSystem): Inode {
  const entries = [...inode.entries].map(([name, entry]) => [name, copyOf(entry, fileSystem)] as const);
  return { ...inode, fileSystem, entries: new Entries(entries), xattrs: new Map(inode.xattrs) };
}

/** Calls for mounts. */
export function mountCalls(
  machine: Machine,
  svirt: Svirt,
): Pick<Host, "listMounts" | "openMount" | "unmount" | "hasAnswer"> {
  const { files, mounts } = machine;
  const noteLock = (call: string): void => {
    if (machine.locks.get(registryLock(SYSTEM_PATHS)) === svirt)
      machine.violations.push(`A server is asked under the registry's lock: ${call}`);
  };
  return {
    listMounts: () => mounts.list(),
    async hasAnswer(path, limitMs) {
      noteLock(`look at ${path}`);
      if (!mounts.silent.has(path)) return true;
      machine.pass(limitMs);
      return false;
    },
    async openMount(order) {
      noteLock(`mount ${order.source}`);
      const root = mounts.open(order);
      return {
        ...attributesOf(machine, svirt, root),
        inode: root.inode,
        attach(folder) {
          svirt.call("attach", true, () => {
            files.getSame(folder);
            mounts.attach(folder.path, root, order);
          });
        },
        close: async () => undefined,
      };
    },
    async unmount(above, path) {
      noteLock(`unmount ${path}`);
      files.getSame(above);
      mounts.detach(path);
    },
  };
}
