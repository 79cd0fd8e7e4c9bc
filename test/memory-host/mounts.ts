import { SvirtError } from "../../src/errors.ts";
import type { Host } from "../../src/host/host.ts";
import type { Mount } from "../../src/host/mounts.ts";
import { registryLock, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import type { MountOrder } from "../../src/storage/pool/mount/mount-order.ts";
import { type FileSystem, hostCall, type Inode } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import type { Svirt } from "./svirt.ts";
import { attributesOf } from "./xattr-calls.ts";

const LABEL = "security.selinux";

interface MemoryMount extends Mount {
  /** Folder below the mount. */
  readonly covered: Inode;
}

/** File systems that can be mounted, and the mounts. */
export class Mounts {
  readonly #machine: Machine;
  readonly #roots = new Map<string, Inode>();
  #mounted: MemoryMount[] = [];
  /** Orders that were opened. */
  readonly orders: MountOrder[] = [];
  /** Mount points with a file that a program uses. */
  readonly busy = new Set<string>();
  /** Mounts have the label of their files, whatever an order says. */
  ignoresContext = false;
  /** Fails an order. */
  fail: (order: MountOrder) => void = () => undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Adds a device or a server's folder with a file system. Its files have this label. */
  add(
    source: string,
    { device, keepsLabels }: Pick<FileSystem, "device" | "keepsLabels">,
    label: string,
  ): Inode {
    const { files } = this.#machine;
    const root = files.put("/dev/.new", "folder", { mode: 0o755, fileSystem: { device, keepsLabels } });
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
    const root = this.#roots.get(order.source);
    if (root === undefined) throw hostCall(`mount ${order.source}`, "ENODEV");
    const context = order.attempts[0]?.options.find((option) => option.startsWith("context="));
    if (context !== undefined && !this.ignoresContext)
      root.xattrs.set(LABEL, context.slice("context=".length));
    return root;
  }

  attach(path: string, root: Inode, { attempts, source }: MountOrder): void {
    const { files } = this.#machine;
    const type = attempts[0]?.type ?? "";
    this.#mounted.push({ path, type, source, device: root.fileSystem.device, covered: files.get(path) });
    this.#place(path, root);
  }

  detach(path: string): void {
    const mount = this.#mounted.findLast((one) => one.path === path);
    if (mount === undefined) throw hostCall(`unmount ${path}`, "EINVAL");
    if (this.busy.has(path))
      throw new SvirtError(`Cannot unmount ${path}: a program uses a file in it`, {
        kind: "in-use",
        remedy: "End it.",
      });
    this.#mounted = this.#mounted.filter((one) => one !== mount);
    this.#place(path, mount.covered);
  }

  /** Removes all mounts, as the end of a boot does. */
  clear(): void {
    for (const { covered, path } of this.#mounted.toReversed()) this.#place(path, covered);
    this.#mounted = [];
  }

  #place(path: string, inode: Inode): void {
    const cut = path.lastIndexOf("/");
    this.#machine.files.get(path.slice(0, cut) || "/").entries.set(path.slice(cut + 1), inode);
  }
}

/** Calls for mounts. */
export function mountCalls(
  machine: Machine,
  svirt: Svirt,
): Pick<Host, "listMounts" | "openMount" | "unmount"> {
  const { files, mounts } = machine;
  const noteLock = (call: string): void => {
    if (machine.locks.get(registryLock(SYSTEM_PATHS)) === svirt)
      machine.violations.push(`A server is asked under the registry's lock: ${call}`);
  };
  return {
    listMounts: () => mounts.list(),
    async openMount(order) {
      noteLock(`mount ${order.source}`);
      const root = mounts.open(order);
      return {
        ...attributesOf(machine, svirt, root),
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
