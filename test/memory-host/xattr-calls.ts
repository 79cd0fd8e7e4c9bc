import type { FileAttributes, Host } from "../../src/host.ts";
import type { FileId } from "../../src/plan/guest-order.ts";
import { factsOf, type Inode } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import type { Svirt } from "./svirt.ts";

/** Extended attributes: `trusted.*` is root's, and not every file system has any. */
export function xattrCalls(
  machine: Machine,
  svirt: Svirt,
): Pick<Host, "withInspected" | "withAttributes" | "grantAccess" | "revokeAccess" | "setOwnership"> {
  const { files } = machine;
  const aclOf = (file: FileId): Inode["acl"] => {
    machine.noteAcl(file.path, svirt);
    return files.getSame(file).acl;
  };
  return {
    withInspected(path, use) {
      const place = files.find(path);
      if (place === undefined) return undefined;
      return use({ facts: factsOf(place), ...attributesOf(machine, svirt, place.inode) });
    },
    withAttributes: (file, use) => use(attributesOf(machine, svirt, files.getSame(file))),
    grantAccess: (file, { access, uid }) => void aclOf(file).set(uid, access),
    setOwnership: (file, { gid, mode, uid }) => void Object.assign(files.getSame(file), { gid, mode, uid }),
    revokeAccess: (file, uid) => void aclOf(file).delete(uid),
  };
}

/** Each act counts as a call of its own: a process may be killed at any. */
function attributesOf(machine: Machine, svirt: Svirt, inode: Inode): FileAttributes {
  const { fileSystem, xattrs } = inode;
  return {
    listXattrs: () => [...xattrs.keys()],
    getXattr: (name) => xattrs.get(name),
    setXattr(name, value) {
      const mayKeep = fileSystem.keepsLabels && (!name.startsWith("trusted.") || machine.uid === 0);
      svirt.call("setXattr", true, () => {
        if (mayKeep) xattrs.set(name, value.replace(/\0$/, ""));
      });
      if (mayKeep) machine.noteContent(inode);
      return mayKeep;
    },
    removeXattr: (name) => void svirt.call("removeXattr", true, () => xattrs.delete(name)),
  };
}
