import type { Host } from "../../src/host.ts";
import type { FileId } from "../../src/plan/guest-order.ts";
import type { Inode } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import type { Svirt } from "./svirt.ts";

/** Extended attributes: `trusted.*` is root's, and not every file system has any. */
export function xattrCalls(
  machine: Machine,
  svirt: Svirt,
): Pick<Host, "getXattr" | "setXattr" | "removeXattr" | "grantAccess" | "revokeAccess"> {
  const { files } = machine;
  const mayKeep = ({ fileSystem }: Inode, name: string): boolean =>
    fileSystem.keepsLabels && (!name.startsWith("trusted.") || machine.uid === 0);
  const aclOf = (file: FileId): Inode["acl"] => {
    machine.noteAcl(file.path, svirt);
    return files.getSame(file).acl;
  };
  return {
    getXattr: (file, name) => files.getSame(file).xattrs.get(name),
    setXattr(file, name, value) {
      const inode = files.getSame(file);
      if (!mayKeep(inode, name)) return false;
      inode.xattrs.set(name, value.replace(/\0$/, ""));
      machine.noteContent(inode);
      return true;
    },
    removeXattr: (file, name) => void files.getSame(file).xattrs.delete(name),
    grantAccess: (file, { access, uid }) => void aclOf(file).set(uid, access),
    revokeAccess: (file, uid) => void aclOf(file).delete(uid),
  };
}
