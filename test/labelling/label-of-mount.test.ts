import { describe, expect, test } from "bun:test";
import { UNKNOWN_MACHINE } from "../../src/run/labels/machine-marks.ts";
import { DISK, makeMachines, NFS_WITH_CONTEXT, release, startOn } from "../scenes/machines.ts";
import { errorOf, staticLabel } from "../scenes/scene.ts";

describe("a file that has one guest's label from its mount, which other machines see", () => {
  const OF_MOUNT = "system_u:object_r:svirt_image_t:s0:c10,c20";
  const withMount = () => {
    const { a } = makeMachines(NFS_WITH_CONTEXT);
    a.files.get(DISK).xattrs.set("security.selinux", OF_MOUNT);
    return a;
  };

  test("is that guest's alone, and no remedy names an order that cannot change the label", async () => {
    const a = withMount();
    const error = await errorOf(startOn(a));
    expect(error.kind).toBe("in-use");
    expect(error.message).toContain(
      `${OF_MOUNT} of a guest that this machine does not run, and other machines access it by NFS`,
    );
    expect(error.remedy).toContain("mount the file system with another context=");
    expect(error.remedy).not.toContain("label release");
    await startOn(a, { seclabel: staticLabel("s0:c10,c20") });
  });

  test("is not released: the label is not the file's", async () => {
    const error = await errorOf(release(withMount(), UNKNOWN_MACHINE));
    expect(error.kind).toBe("denied");
    expect(error.message).toBe(
      `Cannot release ${DISK}: its mount option context= sets the label ${OF_MOUNT}`,
    );
    expect(error.remedy).toContain("another context=");
  });
});
