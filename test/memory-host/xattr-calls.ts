import type { FileAttributes } from "../../src/host/file-attributes.ts";
import type { Host } from "../../src/host/host.ts";
import type { FileId } from "../../src/plan/facts/file.ts";
import { type FileSystem, factsOf, type Inode } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import type { Svirt } from "./svirt.ts";

const LOCAL = { fileSystems: [{ magic: 0xef53, type: "ext4" }], disks: [] };

/**
 * Calls for extended attributes and access. Only root has `trusted.*`, and some file systems support no
 * attributes.
 */
export function xattrCalls(
  machine: Machine,
  svirt: Svirt,
): Pick<
  Host,
  | "getStorage"
  | "withInspected"
  | "openEach"
  | "withAttributes"
  | "grantAccess"
  | "revokeAccess"
  | "setOwnership"
> {
  const { files } = machine;
  const aclOf = (file: FileId): Inode["acl"] => {
    machine.noteAcl(file.path, svirt);
    return files.getSame(file).acl;
  };
  return {
    getStorage(file) {
      const { fileSystem, node } = files.getSame(file);
      return { ...(fileSystem.storage ?? LOCAL), isNode: node !== undefined };
    },
    withInspected(path, use) {
      const place = files.find(path);
      if (place === undefined) return undefined;
      return use({ facts: factsOf(place), ...attributesOf(machine, svirt, place.inode) });
    },
    openEach(paths) {
      const entries = paths.map((path) => attempted(() => files.find(path)));
      return {
        idAt(at) {
          const place = entries[at]?.();
          return place && factsOf(place).id;
        },
        withOpened(at, use) {
          const found = entries[at]?.();
          const facts = found && factsOf(found);
          if (facts === undefined || files.find(facts.id.path) === undefined) return undefined;
          return use({ facts, ...attributesOf(machine, svirt, files.getSame(facts.id)) });
        },
        [Symbol.dispose]: () => entries.splice(0),
      };
    },
    withAttributes: (file, use) => use(attributesOf(machine, svirt, files.getSame(file))),
    grantAccess: (file, { access, uid }) => void aclOf(file).set(uid, access),
    setOwnership: (file, { gid, mode, uid }) => void Object.assign(files.getSame(file), { gid, mode, uid }),
    revokeAccess: (file, uid) => void aclOf(file).delete(uid),
  };
}

/** Calls now, and returns or throws later. */
function attempted<Result>(call: () => Result): () => Result {
  try {
    const result = call();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** Returns whether the file system supports the attribute. */
export function keepsAttribute({ keepsLabels, marks }: FileSystem, name: string): boolean {
  if (!keepsLabels) return false;
  return (
    marks === undefined || name.startsWith("security.") || (marks === "user" && name.startsWith("user."))
  );
}

/** Returns the attributes of an inode. Each change counts as one call, at which svirt may be killed. */
export function attributesOf(machine: Machine, svirt: Svirt, inode: Inode): FileAttributes {
  const { fileSystem, xattrs } = inode;
  return {
    listXattrs: () => [...xattrs.keys()],
    getXattr: (name) => xattrs.get(name),
    setXattr(name, value) {
      const mayKeep = keepsAttribute(fileSystem, name) && (!name.startsWith("trusted.") || machine.uid === 0);
      svirt.call("setXattr", true, () => {
        if (mayKeep) xattrs.set(name, value.replace(/\0$/, ""));
      });
      if (mayKeep) machine.noteContent(inode);
      return mayKeep;
    },
    removeXattr: (name) => void svirt.call("removeXattr", true, () => xattrs.delete(name)),
  };
}
