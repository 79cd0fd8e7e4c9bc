import type { DeviceWatch, FolderWatch } from "../../src/host/channels.ts";
import type { TreeEntry } from "../../src/host/file-attributes.ts";
import type { Host } from "../../src/host/host.ts";
import { factsOf, hostCall, type Place } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import type { Svirt } from "./svirt.ts";
import { keepsAttribute } from "./xattr-calls.ts";

/**
 * Calls for folders in folders, and for folders with all entries below. Each change of an entry counts as one
 * call, at which svirt may be killed.
 */
export function treeCalls(
  machine: Machine,
  svirt: Svirt,
): Pick<
  Host,
  | "visitTree"
  | "makeFolderWithin"
  | "removeEmptyFolder"
  | "getSpace"
  | "judgeBeginnings"
  | "watchFolders"
  | "watchDevices"
> {
  const { files } = machine;
  return {
    makeFolderWithin(folder, { mode, path }) {
      files.getSame(folder);
      if (files.find(path, false) !== undefined) throw hostCall(`create folder ${path}`, "EEXIST");
      const made = files.put(path, "folder", { mode, uid: machine.uid, gid: machine.uid });
      return factsOf({ path, inode: made }).id;
    },
    removeEmptyFolder(folder) {
      if (files.find(folder.path, false) === undefined) return;
      if (files.getSame(folder).entries.size > 0) throw hostCall(`remove ${folder.path}`, "ENOTEMPTY");
      files.remove(folder.path);
    },
    getSpace(folder) {
      files.getSame(folder);
      return machine.space;
    },
    judgeBeginnings(folder, length, judge) {
      return [...files.getSame(folder).entries].sort().flatMap(([name, { bytes, type }]) => {
        const found = type === "file" ? judge(bytes.subarray(0, length)) : undefined;
        return found === undefined ? [] : [{ name, found }];
      });
    },
    watchFolders: (folders) => watchFolders(machine, folders),
    watchDevices: () => watchDevices(machine),
    visitTree(folder, above, visit) {
      const enter = (place: Place, told: typeof above): void => {
        const below = visit(entryOf(machine, svirt, place), told);
        for (const [name, inode] of [...place.inode.entries].sort()) {
          enter({ path: `${place.path}/${name}`, inode }, below);
        }
      };
      enter({ path: folder.path, inode: machine.files.getSame(folder) }, above);
    },
  };
}

/** Pause between two looks of a watch that waits. */
const LOOK_MS = 1;

/** Watches by comparing the folders' entries, since the tree reports no changes. */
function watchFolders({ files, watchedFolders }: Machine, folders: readonly string[]): FolderWatch {
  const look = (): string =>
    folders
      .flatMap((folder) =>
        [...(files.find(folder)?.inode.entries ?? [])].map(
          ([name, { inode }]) => `${folder}/${name} ${inode}`,
        ),
      )
      .join("\n");
  let seen = look();
  const watch: FolderWatch = {
    take() {
      const [before, now] = [seen, look()];
      seen = now;
      return now !== before;
    },
    async wait() {
      while (watchedFolders.has(watch) && look() === seen) await Bun.sleep(LOOK_MS);
    },
    close: () => void watchedFolders.delete(watch),
  };
  watchedFolders.add(watch);
  return watch;
}

function watchDevices({ uevents, watchedDevices }: Machine): DeviceWatch {
  let read = uevents.length;
  const watch: DeviceWatch = {
    take() {
      const now = uevents.slice(read);
      read = uevents.length;
      return now.length === 0
        ? undefined
        : now.flatMap(({ action, path }) => (action === "change" ? [path] : []));
    },
    async wait() {
      while (watchedDevices.has(watch) && uevents.length === read) await Bun.sleep(LOOK_MS);
    },
    close: () => void watchedDevices.delete(watch),
  };
  watchedDevices.add(watch);
  return watch;
}

function entryOf({ files, uid }: Machine, svirt: Svirt, place: Place): TreeEntry {
  const { inode } = place;
  const links = [...files.walk()].filter((other) => other.inode === inode).length;
  const act = (name: string, work: () => unknown): unknown => svirt.call(`tree ${name}`, true, work);
  return {
    id: factsOf(place).id,
    type: inode.type,
    uid: inode.uid,
    gid: inode.uid,
    links: inode.type === "folder" ? 2 : links,
    listXattrs: () => [...inode.xattrs.keys()],
    getXattr: (name) => inode.xattrs.get(name),
    setXattr: (name, value) => {
      if (!keepsAttribute(inode.fileSystem, name) || (name.startsWith("trusted.") && uid !== 0)) return false;
      act(name, () => inode.xattrs.set(name, value.replace(/\0$/, "")));
      return true;
    },
    removeXattr: (name) => {
      if (inode.xattrs.has(name)) act(name, () => inode.xattrs.delete(name));
    },
    setOwner: (user) => void act("owner", () => (inode.uid = user)),
    grantAccess: ({ access, uid: user }) => void act("grant", () => inode.acl.set(user, access)),
    revokeAccess: (user) => {
      if (inode.acl.has(user)) act("revoke", () => inode.acl.delete(user));
    },
  };
}
