import { describe, expect, test } from "bun:test";
import { errorsOf } from "../../../../src/errors.ts";
import { parsePool } from "../../../../src/storage/pool/document.ts";
import {
  mountSource,
  planDeviceMount,
  planServerMount,
} from "../../../../src/storage/pool/mount/plan-mount.ts";
import { diskXml, netXml } from "../../../scenes/mounted-pools.ts";

function netWith(change: (text: string) => string, options: readonly string[] = []) {
  const text = new TextDecoder().decode(netXml({ options }));
  return parsePool(new TextEncoder().encode(change(text)));
}

/** Returns the options of each attempt. */
function optionsOf(more: string, options: readonly string[] = []): readonly (readonly string[])[] {
  const pool = netWith((text) => text.replace("</source>", `${more}</source>`), options);
  return planServerMount(pool).attempts.map((attempt) => attempt.options);
}

describe("mountSource()", () => {
  // virStorageBackendFileSystemGetPoolSource() of libvirt; nfs_parse_devname() of Linux takes an address of
  // IPv6 in brackets.
  test.each([
    ["files.example", "files.example:/images"],
    ["192.0.2.1", "192.0.2.1:/images"],
    ["2001:db8::1", "[2001:db8::1]:/images"],
  ])("of the server %s is %s", (name, source) => {
    expect(mountSource(netWith((text) => text.replace("files.example", name)))).toBe(source);
  });

  test("of a device is its path", () => {
    expect(mountSource(parsePool(diskXml()))).toBe("/dev/vdb");
  });
});

describe("planServerMount()", () => {
  test("tries the versions of NFS from the newest, as mount.nfs does", () => {
    expect(optionsOf("")).toEqual([["vers=4.2"], ["vers=4.1"], ["vers=4.0"], ["vers=3", "nolock"]]);
  });

  // nfs(5): vers=4 negotiates the newest version of NFS 4.
  test.each([
    ["4.1", ["4.1"]],
    ["4", ["4.2", "4.1", "4.0"]],
    ["3", ["3"]],
  ])("tries only the version %s of the XML", (version, tried) => {
    expect(optionsOf(`<protocol ver='${version}'/>`).map(([first]) => first)).toEqual(
      tried.map((one) => `vers=${one}`),
    );
  });

  test("asks the server at the port in the XML, with the flags of libvirt's mounts", () => {
    const pool = netWith((text) =>
      text.replace("<host name='files.example'/>", "<host name='a' port='20490'/>"),
    );
    const { attempts, flags, server } = planServerMount(pool);
    expect([server, flags, attempts[0]?.options]).toEqual([
      "a",
      ["nosuid", "nodev", "noexec"],
      ["vers=4.2", "port=20490"],
    ]);
  });

  test("passes the options of <fs:mount_opts> on, and properties of the mount as such", () => {
    const pool = netWith((text) => text, ["soft", "timeo=100", "ro", "nosuid", "noatime"]);
    const { attempts, flags } = planServerMount(pool);
    expect(attempts[1]?.options).toEqual(["vers=4.1", "soft", "timeo=100"]);
    expect(flags).toEqual(["nosuid", "nodev", "noexec", "ro", "noatime"]);
  });

  test.each([
    ...["suid", "dev", "exec", "remount", "bind", "context=system_u:object_r:etc_t:s0", "fscontext=a"],
    ...[
      "credentials=/root/.ssh/id",
      "addr=192.0.2.1",
      "vers=3",
      "source=/dev/vda",
      "timeo=a",
      "timeo=",
      "timeo",
    ],
    ...[
      "soft=1",
      "nosharecache",
      "soft,suid",
      "sec=krb5",
      "constructor",
      "__proto__=1",
      "port=1,suid",
      "timeo=1\u00a0",
    ],
  ])("refuses the option %p", (option) => {
    const [error] = errorsOf(() => planServerMount(netWith((text) => text, [option])));
    expect([error?.kind, error?.place]).toEqual(["unsupported", "/pool/mount_opts/option"]);
    expect(error?.message).toContain(`'${option}'`);
  });
});

describe("planDeviceMount()", () => {
  const withOption = (option: string) =>
    parsePool(
      new TextEncoder().encode(
        new TextDecoder()
          .decode(diskXml())
          .replace("<pool ", "<pool xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0' ")
          .replace("</pool>", `<fs:mount_opts><fs:option name='${option}'/></fs:mount_opts></pool>`),
      ),
    );

  test("has the options of the file system's type only", () => {
    expect(planDeviceMount(withOption("discard"), "/dev/vdb", "ext4").attempts).toEqual([
      { type: "ext4", options: ["discard"] },
    ]);
    expect(errorsOf(() => planDeviceMount(withOption("uid=5"), "/dev/vdb", "ext4"))).toHaveLength(1);
    expect(planDeviceMount(withOption("uid=5"), "/dev/vdb", "vfat").attempts[0]?.options).toEqual(["uid=5"]);
  });

  test.each(["journal_path=/dev/vda", "usrjquota=a", "sb=1"])(
    "refuses %s, which names another place",
    (option) => {
      expect(errorsOf(() => planDeviceMount(withOption(option), "/dev/vdb", "ext4"))).toHaveLength(1);
    },
  );

  test("mounts an image of a CD-ROM for reading only", () => {
    expect(planDeviceMount(parsePool(diskXml()), "/dev/vdb", "iso9660").flags).toContain("ro");
  });

  test("names HFS+ as the kernel does", () => {
    expect(planDeviceMount(parsePool(diskXml()), "/dev/vdb", "hfs+").attempts[0]?.type).toBe("hfsplus");
  });
});
