import { expect, test } from "bun:test";
import { MISSING, RealFolder } from "./folder.ts";
import { asideOf, nameMissing } from "./missing-programs.ts";

const lack = MISSING ?? nameMissing("setfattr");

// setfattr(1) is independent of svirt's calls, so this test separates failures of the machine from those of
// svirt.
test.skipIf(lack !== undefined).each([
  ["security.selinux", "system_u:object_r:tmp_t:s0"],
  ["trusted.svirt.probe", "1"],
  // user::rw-, user:1000:r--, group::r--, mask::r--, other::---. linux/posix_acl_xattr.h
  [
    "system.posix_acl_access",
    "0x0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000000ffffffff",
  ],
])(`/var/tmp of this machine keeps %s${asideOf(lack)}`, (name, value) => {
  using folder = new RealFolder();
  const { stderr, success } = Bun.spawnSync(["setfattr", "-n", name, "-v", value, folder.file("probe")]);
  expect([success, stderr.toString()]).toEqual([true, ""]);
});
