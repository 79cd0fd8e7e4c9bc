import { describe, expect, test } from "bun:test";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const LABEL = "system_u:object_r:svirt_image_t:s0:c1,c2";
const MIB = 1024 * 1024;
const LIMIT = { bytes: MIB, inodes: 20 };
const UID = 12345;

/** Folder in which a guest's folder is made; the test's remains are unmounted and removed at the end. */
class Limited extends RealFolder {
  readonly guest = `${this.path}/guest`;

  make(): void {
    this.host.makeFolder({ path: this.guest, mode: 0o700, uid: UID, label: LABEL, limit: LIMIT });
  }

  /** Returns the mounts on the guest's folder, with their options. proc_pid_mountinfo(5) */
  mounts(): string[] {
    return readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(` ${this.guest} `));
  }

  override [Symbol.dispose](): void {
    while (this.mounts().length > 0) Bun.spawnSync(["umount", "-l", this.guest]);
    super[Symbol.dispose]();
  }
}

describe.skipIf(MISSING !== undefined)(`a folder with a limit${ASIDE}`, () => {
  test("has its owner, mode and label, and runs and serves nothing", () => {
    using folder = new Limited();
    folder.make();
    const { gid, mode, uid } = statSync(folder.guest);
    expect([mode & 0o7777, uid, gid]).toEqual([0o700, UID, UID]);
    expect(folder.getXattr(folder.id(folder.guest), "security.selinux")).toBe(LABEL);
    expect(folder.mounts()).toEqual([expect.stringContaining(" rw,nosuid,nodev,noexec,")]);
    expect(statSync(folder.guest).dev).not.toBe(statSync(folder.path).dev);
  });

  test("takes no more bytes and no more files than it may", () => {
    using folder = new Limited();
    folder.make();
    expect(() => writeFileSync(`${folder.guest}/large`, new Uint8Array(2 * MIB))).toThrow("ENOSPC");
    expect(statSync(`${folder.guest}/large`).size).toBeLessThanOrEqual(MIB);
    const make = (): void => {
      for (let at = 0; at < 100; at += 1) mkdirSync(`${folder.guest}/${at}`);
    };
    expect(make).toThrow("ENOSPC");
    expect(existsSync(`${folder.guest}/20`)).toBe(false);
    // The limit does not apply to the folder above.
    writeFileSync(`${folder.path}/other`, new Uint8Array(2 * MIB));
  });

  test("goes at once with all that is in it, also while a file there is open", () => {
    using folder = new Limited();
    folder.make();
    writeFileSync(`${folder.guest}/file`, "text");
    const fd = openSync(`${folder.guest}/file`, "r");
    try {
      folder.host.removeFolder(folder.guest, true);
      expect([existsSync(folder.guest), folder.mounts()]).toEqual([false, []]);
      folder.host.removeFolder(folder.guest, true);
    } finally {
      closeSync(fd);
    }
  });

  test("is made anew over one that a svirt has left that was killed", () => {
    using folder = new Limited();
    folder.make();
    writeFileSync(`${folder.guest}/file`, "text");
    folder.make();
    expect([existsSync(`${folder.guest}/file`), folder.mounts().length]).toEqual([false, 1]);
  });

  test("is removed if it was made and never mounted, as by a svirt that was killed between", () => {
    using folder = new Limited();
    mkdirSync(folder.guest);
    writeFileSync(`${folder.guest}/file`, "text");
    folder.host.removeFolder(folder.guest, true);
    expect(existsSync(folder.guest)).toBe(false);
  });

  test("that is not said to be mounted is not emptied", () => {
    using folder = new Limited();
    folder.make();
    writeFileSync(`${folder.guest}/file`, "text");
    expect(() => folder.host.removeFolder(folder.guest)).toThrow("another file system is mounted on");
    expect(readFileSync(`${folder.guest}/file`, "utf8")).toBe("text");
  });

  test("that is mounted in another namespace alone is removed there, too", () => {
    using folder = new Limited();
    const script = `(await import("${import.meta.dir}/../../../../src/host/linux/linux-host.ts")).makeLinuxHost().makeFolder({ path: "${folder.guest}", mode: 0o700, limit: { bytes: 65536, inodes: 10 } }); await Bun.sleep(100)`;
    const made = Bun.spawnSync(["unshare", "--mount", process.execPath, "-e", script]);
    expect([made.exitCode, made.stderr.toString(), folder.mounts()]).toEqual([0, "", []]);
    folder.host.removeFolder(folder.guest, true);
    expect(existsSync(folder.guest)).toBe(false);
  });
});
