import { describe, expect, test } from "bun:test";
import { asSvirtError } from "../../src/errors.ts";
import {
  belongsToHost,
  isInstalled,
  refuseCommonDevice,
  refuseHostFolder,
  refuseImpossibleTarget,
  refuseInstalled,
} from "../../src/label/protected-paths.ts";

/**
 * Programs, libraries and settings of FHS 3.0: 3.4, 3.7, 3.9, 3.10, 3.16, 4.4 to 4.10, 6.1, and the Linux
 * annex.
 */
const OF_FHS = [
  ...["/bin", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/sbin", "/proc", "/sys"],
  ...["/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec", "/usr/sbin"],
  ...["/usr/local/bin", "/usr/local/lib", "/usr/local/lib64", "/usr/local/sbin"],
];
/** Root's keys, sshd(8), and svirt's own records and logs, docs/state.md. */
const SECRETS = ["/root/.ssh", "/run/svirt", "/var/lib/svirt", "/var/log/svirt"];

function refusal(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    const { kind, message } = asSvirtError(error);
    expect(kind).toBe("denied");
    return message;
  }
}

describe.each([...OF_FHS, ...SECRETS])("%s", (folder) => {
  test("is no guest's, nor is anything in it", () => {
    for (const path of [folder, `${folder}/a`, `${folder}/a/b`]) {
      expect(belongsToHost(path)).toBe(true);
      expect(refusal(() => refuseImpossibleTarget(path))).toBe(
        `Cannot give ${path} to a guest: it belongs to the host`,
      );
      expect(refusal(() => refuseHostFolder(path))).toStartWith(`Cannot share ${path} with a guest: `);
    }
  });

  test("is not to be shared by a folder above it", () => {
    const above = folder.slice(0, folder.lastIndexOf("/")) || "/";
    expect(refusal(() => refuseHostFolder(above))).toBeString();
  });

  test("is not a folder whose name only begins so", () => {
    expect(belongsToHost(`${folder}-of-guests/a`)).toBe(false);
    expect(refusal(() => refuseImpossibleTarget(`${folder}-of-guests/a`))).toBeUndefined();
  });
});

/**
 * Folders of FHS 3.0 (3.5, 3.6, 3.15, 4): a guest may use a file in them, such as a kernel, but no folder.
 */
describe.each(["/boot", "/dev", "/run", "/usr"])("%s", (folder) => {
  test("is shared with no guest, in part or as a whole", () => {
    expect(refusal(() => refuseHostFolder(folder))).toBeString();
    expect(refusal(() => refuseHostFolder(`${folder}/a`))).toBeString();
    expect(refusal(() => refuseHostFolder(`${folder}-of-guests`))).toBeUndefined();
  });
});

test.each(["/", "/var", "/var/lib", "/root", "/var/log"])(
  "%s has something of the host's below it",
  (folder) => {
    expect(refusal(() => refuseHostFolder(folder))).toBeString();
  },
);

test.each(["/srv", "/srv/share", "/home/alice", "/var/lib/libvirt/images", "/data"])(
  "%s may be shared",
  (folder) => {
    expect(refusal(() => refuseHostFolder(folder))).toBeUndefined();
  },
);

test.each([
  "/var/lib/libvirt/images/a.raw",
  "/dev/vdb",
  "/srv/etc/a.raw",
  "/usr/share/OVMF/OVMF_CODE.fd",
  "/usr/local/share/a.rom",
  "/boot/vmlinuz",
])("%s may be a guest's", (path) => {
  expect(refusal(() => refuseImpossibleTarget(path))).toBeUndefined();
});

/**
 * Numbers of admin-guide/devices.txt: /dev/null, /dev/tty, /dev/kvm; then of a disk, of a serial port, and
 * none.
 */
test.each([
  ["1:3", true],
  ["5:0", true],
  ["10:232", true],
  ["8:0", false],
  ["4:64", false],
  [undefined, false],
] as const)("a device with the number %p is every program's: %p", (node, isCommon) => {
  expect(refusal(() => refuseCommonDevice("/dev/x", node)) !== undefined).toBe(isCommon);
});

test.each([
  ["/usr/share/OVMF/OVMF_VARS.fd", true],
  ["/usr", false],
  ["/usrx/a", false],
  ["/var/lib/libvirt/qemu/nvram/a.fd", false],
] as const)("%s is installed by the host's packages: %p", (path, isSo) => {
  expect(isInstalled(path)).toBe(isSo);
  expect(refusal(() => refuseInstalled(path)) !== undefined).toBe(isSo);
});
