import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { HelperSpec } from "../../../../src/plan/facts/launch-spec.ts";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const UID = 0x70000003;
const LABEL = "system_u:object_r:svirt_image_t:s0:c1,c2";

function orderIn(folder: RealFolder, script: string): HelperSpec {
  chmodSync(folder.path, 0o711);
  mkdirSync(`${folder.path}/state`);
  folder.host.assignFolder(`${folder.path}/state`, { uid: UID });
  return {
    program: "/bin/sh",
    words: ["-c", script],
    environment: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    uid: UID,
    workFolder: `${folder.path}/state`,
    logFile: `${folder.path}/log`,
    ready: `${folder.path}/state/ready`,
  };
}

describe.skipIf(MISSING !== undefined)(`a process beside QEMU on the real machine${ASIDE}`, () => {
  test("is waited for, and has its user, its folder and no right", async () => {
    using folder = new RealFolder();
    const script =
      'grep -E "^(Uid|CapBnd|CapEff)" /proc/self/status; pwd; ls /proc/self/fd; : >ready; sleep 0.1';
    await folder.host.spawnHelper(orderIn(folder, script));
    expect(existsSync(`${folder.path}/state/ready`)).toBe(true);
    const log = (await folder.host.readLogEnd(`${folder.path}/log`, 65_536)) ?? "";
    expect(log).toContain(`Uid:\t${UID}\t${UID}\t${UID}\t${UID}`);
    expect(log).toMatch(/CapEff:\t0000000000000000/);
    expect(log).toMatch(/CapBnd:\t0000000000000000/);
    expect(log).toContain(`${folder.path}/state\n`);
    // ls(1) itself has the folder open.
    expect(log.split("\n").filter((line) => /^\d+$/.test(line))).toEqual(["0", "1", "2", "3"]);
  });

  test("has as many descriptors as it is let have", async () => {
    using folder = new RealFolder();
    const order = orderIn(folder, "ulimit -Sn; ulimit -Hn; : >ready");
    await folder.host.spawnHelper({ ...order, mostDescriptors: 77 });
    expect(await folder.host.readLogEnd(`${folder.path}/log`, 65_536)).toStartWith("77\n77\n");
  });

  test("that ends before it is ready is an error with its status", async () => {
    using folder = new RealFolder();
    await expect(folder.host.spawnHelper(orderIn(folder, "exit 3"))).rejects.toThrow(
      "Cannot start /bin/sh: it ended with status 3",
    );
  });
});

describe.skipIf(MISSING !== undefined)(`a folder that is given away on the real machine${ASIDE}`, () => {
  test("takes along what is in it, and nothing that a symlink there leads to", () => {
    using folder = new RealFolder();
    const secret = folder.file("secret", "x");
    const path = `${folder.path}/state`;
    mkdirSync(`${path}/below`, { recursive: true });
    writeFileSync(`${path}/file`, "");
    writeFileSync(`${path}/below/deep`, "");
    symlinkSync(secret, `${path}/link`);
    folder.host.assignFolder(path, { uid: UID, label: LABEL });
    expect(["", "/file", "/below"].map((name) => statSync(path + name).uid)).toEqual([UID, UID, UID]);
    expect([lstatSync(`${path}/link`).uid, statSync(`${path}/below/deep`).uid]).toEqual([UID, 0]);
    expect(statSync(secret).uid).toBe(0);
    expect(folder.getXattr(folder.id(secret), "security.selinux")).not.toBe(LABEL);
    expect(folder.getXattr(folder.id(`${path}/file`), "security.selinux")).toBe(LABEL);
    folder.host.assignFolder(path, { uid: 0 });
    expect(["", "/file", "/below"].map((name) => statSync(path + name).uid)).toEqual([0, 0, 0]);
  });

  test("has its mode again when it comes back, and no program in it that runs as its owner", () => {
    using folder = new RealFolder();
    const path = `${folder.path}/state`;
    mkdirSync(path);
    writeFileSync(`${path}/program`, "");
    folder.host.assignFolder(path, { uid: UID });
    chmodSync(path, 0o777);
    chmodSync(`${path}/program`, 0o6755);
    folder.host.assignFolder(path, { uid: 0, mode: 0o700 });
    const modes = [path, `${path}/program`].map((name) => (statSync(name).mode & 0o7777).toString(8));
    expect(modes).toEqual(["700", "755"]);
  });

  test("takes along what has a name that is no text, so that none keeps a folder from being taken back", () => {
    using folder = new RealFolder();
    const path = `${folder.path}/state`;
    mkdirSync(path);
    const name = Buffer.concat([Buffer.from(`${path}/`), new Uint8Array([0xff, 0xfe])]);
    writeFileSync(name, "");
    folder.host.assignFolder(path, { uid: UID });
    expect(statSync(name).uid).toBe(UID);
  });

  test("does not take along a file that has another name elsewhere", () => {
    using folder = new RealFolder();
    const secret = folder.file("secret", "x");
    mkdirSync(`${folder.path}/state`);
    linkSync(secret, `${folder.path}/state/name`);
    folder.host.assignFolder(`${folder.path}/state`, { uid: UID, label: LABEL });
    expect(statSync(secret).uid).toBe(0);
    expect(folder.getXattr(folder.id(secret), "security.selinux")).not.toBe(LABEL);
  });
});
