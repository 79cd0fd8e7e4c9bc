import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { TreeEntry } from "../../../../src/host/file-attributes.ts";
import type { Host } from "../../../../src/host/host.ts";
import type { TreeStep } from "../../../../src/plan/steps/tree.ts";
import { ClaimRegistry } from "../../../../src/registry/claims.ts";
import { shareTree, unshareTree } from "../../../../src/run/steps/tree/step.ts";
import { ASIDE, MISSING, OWN_USER, RealFolder } from "../../../real-host/folder.ts";

const OWN = "system_u:object_r:var_t:s0";
const HOME = "system_u:object_r:user_home_t:s0";
const CONTENT = "system_u:object_r:virt_content_t:s0";
const GUEST = "system_u:object_r:svirt_image_t:s0:c1,c2";
const LABEL = "security.selinux";

describe.skipIf(MISSING !== undefined)(`a folder with all below it${ASIDE}`, () => {
  test("is one user's to use by descriptors, whatever its names are, and then as it was", () => {
    using scene = new Scene();
    const before = scene.seen();
    shareTree(scene.actor, scene.step);
    expect([...scene.labels().values()]).toEqual([...scene.labels().values()].map(() => GUEST));
    expect(scene.asUser("cat", "sub/mine").stdout).toBe("host\n");
    expect(scene.asUser("sh", "-c", "echo x >sub/new && chmod 4755 sub/new && mkdir made").success).toBe(
      true,
    );
    // A kernel with SELinux sets these labels itself.
    for (const name of ["sub/new", "made"]) scene.setLabel(name, GUEST);
    // Only the symlink's own label changes, not that of its target.
    expect(scene.outside.getXattr(scene.outside.id(scene.secret), LABEL)).toBe(OWN);
    unshareTree(scene.actor, { ...scene.step, do: "unshare-tree" });
    const made = lstatSync(`${scene.folder.path}/sub/new`);
    // The file belongs to root and is no longer setuid, so no user can run it as root.
    expect([made.uid, made.mode & 0o7777]).toEqual([0, 0o755]);
    expect(scene.labels().get("sub/new")).toBe(OWN);
    scene.remove("sub/new", "made");
    expect(scene.seen()).toEqual(before);
    expect(scene.asUser("cat", "sub/mine").success).toBe(false);
  });

  test("has what the guest made as its owner's and its group's, and all else as whose it was", () => {
    using scene = new Scene();
    chownSync(scene.folder.path, 5, 7);
    chownSync(`${scene.folder.path}/odd`, 8, 9);
    shareTree(scene.actor, scene.step);
    expect(scene.asUser("sh", "-c", "echo x >sub/new").success).toBe(true);
    unshareTree(scene.actor, { ...scene.step, do: "unshare-tree" });
    const ownerOf = (name: string) => {
      const { gid, uid } = lstatSync(`${scene.folder.path}/${name}`);
      return [uid, gid];
    };
    expect(["sub/new", "odd", "sub/mine", "out"].map(ownerOf)).toEqual([
      [5, 7],
      [8, 9],
      [0, 0],
      [0, 0],
    ]);
  });

  test("says of each label that it remembers in which boot that was written", () => {
    using scene = new Scene();
    shareTree(scene.actor, scene.step);
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const marks = ["", "odd", "sub/mine"].map((name) =>
      ["trusted.libvirt.security.selinux", "trusted.svirt.boot_id"].map((mark) => scene.mark(name, mark)),
    );
    // An entry with its folder's label remembers none.
    expect(marks).toEqual([
      [OWN, boot],
      [HOME, boot],
      [undefined, undefined],
    ]);
  });

  test("is not shared with a file whose own label nothing could remember", () => {
    using scene = new Scene();
    const { host } = scene.actor;
    for (const missing of ["trusted.svirt.boot_id", "trusted.libvirt.security.selinux"]) {
      const visitTree: Host["visitTree"] = (folder, above, visit) =>
        host.visitTree(folder, above, (entry, told) =>
          visit(
            { ...entry, setXattr: (name, value) => name !== missing && entry.setXattr(name, value) },
            told,
          ),
        );
      const actor = { ...scene.actor, host: { ...host, visitTree } };
      expect(() => shareTree(actor, scene.step)).toThrow("its file system cannot store the original label");
    }
  });

  test("is shared also when a file goes away meanwhile", () => {
    using scene = new Scene();
    const { host } = scene.actor;
    for (const name of ["one", "two"]) scene.folder.file(name);
    const visited: string[] = [];
    host.visitTree(scene.folder.id(scene.folder.path), undefined, ({ id }) => {
      const name = id.path.slice(scene.folder.path.length + 1);
      visited.push(name);
      const other = { one: "two", two: "one" }[name];
      if (other !== undefined) scene.remove(other);
    });
    expect(visited.filter((name) => name === "one" || name === "two")).toHaveLength(1);
    expect(visited).toContain("sub/mine");
  });

  test("is not shared with a file that has another name elsewhere", () => {
    using scene = new Scene();
    linkSync(scene.secret, `${scene.folder.path}/sub/hard`);
    expect(() => shareTree(scene.actor, scene.step)).toThrow("the file has 2 names");
    expect([...new Set(scene.labels().values())].sort()).toEqual([HOME, OWN].sort());
  });

  test("is shared with files that have all their names in it", () => {
    using scene = new Scene();
    linkSync(`${scene.folder.path}/sub/mine`, `${scene.folder.path}/second`);
    shareTree(scene.actor, scene.step);
    expect(scene.labels().get("second")).toBe(GUEST);
  });

  test("gives such a file back its label, also where the guests' one has no categories", () => {
    using scene = new Scene();
    linkSync(`${scene.folder.path}/sub/mine`, `${scene.folder.path}/second`);
    const step = { ...scene.step, to: CONTENT };
    shareTree(scene.actor, step);
    expect(scene.labels().get("second")).toBe(CONTENT);
    unshareTree(scene.actor, { ...step, do: "unshare-tree" });
    expect([scene.label("second"), scene.label("odd")]).toEqual([OWN, HOME]);
  });

  test("that a guest has nested beyond all measure keeps no other part from coming back", () => {
    using scene = new Scene();
    shareTree(scene.actor, scene.step);
    mkdirSync(`${scene.folder.path}/deep/${"d/".repeat(420)}`, { recursive: true });
    expect(() => unshareTree(scene.actor, { ...scene.step, do: "unshare-tree" })).toThrow("nested more than");
    expect([scene.label("sub/mine"), scene.label("odd")]).toEqual([OWN, HOME]);
    scene.remove("deep");
    unshareTree(scene.actor, { ...scene.step, do: "unshare-tree" });
    expect(scene.labels().get("")).toBe(OWN);
  });
});

/**
 * A folder with files of root and a symlink out of it. One file has a label of its own, one a name that is
 * not text.
 */
class Scene implements Disposable {
  readonly folder = new RealFolder();
  readonly outside = new RealFolder();
  readonly secret = this.outside.file("secret", "secret\n");
  readonly step: TreeStep;

  constructor() {
    const { path } = this.folder;
    mkdirSync(`${path}/sub`, { mode: 0o700 });
    for (const name of ["sub/mine", "odd"]) this.folder.file(name, "host\n");
    writeFileSync(Buffer.concat([Buffer.from(`${path}/sub/`), Buffer.from([0xff])]), "x");
    chmodSync(`${path}/sub/mine`, 0o600);
    this.folder.symlink("out", this.secret);
    this.#visit((entry) => void entry.setXattr(LABEL, `${entry.id.path.endsWith("odd") ? HOME : OWN}\0`));
    this.outside.setXattr(this.outside.id(this.secret), LABEL, `${OWN}\0`);
    const claim = { kind: "file", key: "inode", sharing: "exclusive", label: GUEST, original: OWN } as const;
    const folder = this.folder.id(path);
    this.step = {
      do: "share-tree",
      folder,
      claim,
      uid: OWN_USER,
      access: "read-write",
      to: GUEST,
      from: OWN,
    };
    this.actor.registry.reserve(claim, "guest");
    this.folder.host.makeFolder({ path: this.outside.path, mode: 0o711 });
  }

  get actor() {
    const { host } = this.folder;
    return { host, registry: new ClaimRegistry(host, `${this.outside.path}/state`), owner: "guest" };
  }

  /** Returns the labels by path within the folder. */
  labels(): Map<string, string | undefined> {
    const found = new Map<string, string | undefined>();
    this.#visit(({ getXattr, id }) => found.set(id.path.slice(this.folder.path.length + 1), getXattr(LABEL)));
    return found;
  }

  label(name: string): string | undefined {
    return this.mark(name, LABEL);
  }

  mark(name: string, mark: string): string | undefined {
    const { path } = this.folder;
    return this.folder.getXattr(this.folder.id(name === "" ? path : `${path}/${name}`), mark);
  }

  setLabel(name: string, label: string): void {
    const { path } = this.folder;
    this.folder.setXattr(this.folder.id(`${path}/${name}`), LABEL, `${label}\0`);
  }

  /** Returns all properties that must be equal afterwards. */
  seen(): readonly unknown[] {
    const names = [
      LABEL,
      "trusted.libvirt.security.selinux",
      "trusted.svirt.boot_id",
      "system.posix_acl_access",
    ];
    const found: unknown[] = [];
    this.#visit(({ getXattr, gid, id, type, uid }) => {
      const mode =
        type === "symlink" ? 0 : statSync(id.path.replace("\ufffd", "."), { throwIfNoEntry: false })?.mode;
      found.push([id.path, uid, gid, mode, ...names.map((name) => getXattr(name))]);
    });
    return found.toSorted();
  }

  asUser(...words: string[]): { readonly success: boolean; readonly stdout: string } {
    const user = ["setpriv", "--reuid", String(OWN_USER), "--regid", String(OWN_USER), "--clear-groups"];
    const { stdout, success } = Bun.spawnSync([...user, ...words], {
      cwd: this.folder.path,
      stderr: "ignore",
    });
    return { success, stdout: stdout.toString() };
  }

  remove(...names: string[]): void {
    for (const name of names) this.folder.host.removeFolder(`${this.folder.path}/${name}`);
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
    this.outside[Symbol.dispose]();
  }

  #visit(look: (entry: TreeEntry) => void): void {
    const { host, path } = this.folder;
    host.visitTree(this.folder.id(path), undefined, (entry) => void look(entry));
  }
}
