import { expect, test } from "bun:test";
import { parseMounts } from "../../../../src/host/linux/mounts/parse-mounts.ts";

// Lines as the kernel writes them. proc_pid_mountinfo(5), show_sid() in security/selinux/hooks.c of Linux
const LINES = `
61 29 0:50 / /srv/net rw,nosuid,nodev,noexec,relatime shared:1 - nfs4 files.example:/images rw,context=system_u:object_r:virt_content_t:s0,vers=4.2,addr=192.0.2.1
62 61 0:51 / /srv/net/my\\040guest rw,nosuid - nfs4 files.example:/images/my\\040guest rw,context="system_u:object_r:svirt_image_t:s0:c1,c2",vers=4.2
63 29 8:1 / /srv/local rw,relatime - ext4 /dev/sda1 rw,seclabel
64 29 0:52 / /srv/memory rw - tmpfs tmpfs rw,rootcontext=system_u:object_r:tmp_t:s0,fscontext=system_u:object_r:tmpfs_t:s0
`;

test("parseMounts() returns the label that all files of a mount have, quoted or not", () => {
  const found = parseMounts(LINES).map(({ context, path, source }) => [path, source, context]);
  expect(found).toEqual([
    ["/srv/net", "files.example:/images", "system_u:object_r:virt_content_t:s0"],
    ["/srv/net/my guest", "files.example:/images/my guest", "system_u:object_r:svirt_image_t:s0:c1,c2"],
    ["/srv/local", "/dev/sda1", undefined],
    ["/srv/memory", "tmpfs", undefined],
  ]);
});
