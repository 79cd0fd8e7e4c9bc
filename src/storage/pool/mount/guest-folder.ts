import { SvirtError } from "../../../errors.ts";
import { addOption, type MountOrder } from "./mount-order.ts";

// Rule: A folder is mounted for one guest if its files need that guest's label.

/** Pool of type netfs that is mounted, and the order for its mount. */
export interface ServerPool {
  readonly target: string;
  readonly order: MountOrder;
}

/** Folder of a pool mounted for a single guest. */
export interface OwnFolder {
  readonly path: string;
  readonly order: MountOrder;
}

/**
 * Returns the folders to mount for a guest, with the guest's label of its files: the folders of the files,
 * outermost only. The files are below the pools' targets and have no labels of their own. Throws "denied" for
 * a file without a folder of its own, "in-use" where something else is mounted.
 */
export function decideOwnFolders(
  files: readonly string[],
  { mountPoints, pools }: { readonly pools: readonly ServerPool[]; readonly mountPoints: readonly string[] },
): readonly OwnFolder[] {
  const folders = new Map<string, ServerPool>();
  for (const file of files) {
    const pool = pools.find(({ target }) => isBelow(file, target));
    if (pool === undefined) continue;
    const folder = file.slice(0, file.lastIndexOf("/"));
    if (folder === pool.target) throw notAlone(file, pool.target);
    const other = mountPoints.find(
      (point) => isBelow(point, folder) || (isBelow(point, pool.target) && isBelow(file, point)),
    );
    if (other !== undefined) throw mounted(file, other);
    folders.set(folder, pool);
  }
  const paths = [...folders.keys()];
  return [...folders].flatMap(([path, pool]) =>
    paths.some((above) => isBelow(path, above)) ? [] : [{ path, order: orderOf(pool, path) }],
  );
}

/** Reports whether a path is inside of a folder. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder === "/" ? folder : `${folder}/`);
}

/** Kernels before 5.13 refuse a second label for the files of a server without nosharecache. nfs(5) */
function orderOf({ order, target }: ServerPool, path: string): MountOrder {
  const source = `${order.source.replace(/\/+$/, "")}${path.slice(target.length)}`;
  return addOption({ ...order, source }, "nosharecache");
}

function notAlone(file: string, target: string): SvirtError {
  return new SvirtError(
    `Cannot label ${file}: its file system stores no labels, and it is in no folder of its own, which svirt could mount for the guest alone`,
    {
      kind: "denied",
      remedy: `Move it into a folder below ${target} that has only this guest's files, such as ${target}/GUEST, and write that path into the XML.`,
    },
  );
}

function mounted(file: string, point: string): SvirtError {
  return new SvirtError(
    `Cannot label ${file}: its file system stores no labels, and another file system is mounted at ${point}`,
    { kind: "in-use", remedy: `If a guest has ended there: svirt recover. If not: umount ${point}` },
  );
}
