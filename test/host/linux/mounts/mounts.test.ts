import { describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { StepOf } from "../../../../src/plan/steps/step.ts";
import { ClaimRegistry } from "../../../../src/registry/claims.ts";
import type { Actor } from "../../../../src/run/actor.ts";
import { runStep } from "../../../../src/run/steps/run-step.ts";
import type { MountOrder } from "../../../../src/storage/pool/mount/mount-order.ts";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";
import { errorOf } from "../../../scenes/scene.ts";

/** Order for a tmpfs, which needs no device. */
const MEMORY: MountOrder = {
  source: "svirt-test",
  server: undefined,
  attempts: [{ type: "tmpfs", options: ["size=1m"] }],
  flags: ["nosuid", "nodev", "noexec"],
};

/** Folder with a mount point. What is mounted there is unmounted at the end. */
class MountPoint extends RealFolder {
  readonly target = `${this.path}/target`;

  constructor() {
    super();
    mkdirSync(this.target);
  }

  /** Returns the lines of findmnt(8)'s source for the mount point. proc_pid_mountinfo(5) */
  lines(): readonly string[] {
    return readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(` ${this.path}/`));
  }

  async mount(order: MountOrder = MEMORY): Promise<void> {
    const opened = await this.host.openMount(order);
    try {
      opened.attach(this.id(this.target));
    } finally {
      await opened.close();
    }
  }

  unmount(): Promise<void> {
    return this.host.unmount(this.id(this.path), this.target);
  }

  override [Symbol.dispose](): void {
    for (const line of this.lines()) Bun.spawnSync(["umount", "-l", line.split(" ")[4] ?? ""]);
    super[Symbol.dispose]();
  }
}

/** Returns the step that mounts a tmpfs for one guest. */
function ownMountAt(point: MountPoint): StepOf<"mount-folder"> {
  return {
    do: "mount-folder",
    path: point.target,
    above: point.id(point.path),
    folder: point.id(point.target),
    source: MEMORY.source,
    label: "system_u:object_r:svirt_image_t:s0:c1,c2",
    attempts: [{ type: "tmpfs", options: ["size=1m"] }],
    flags: ["nosuid", "nodev", "noexec"],
  };
}

function actorOn({ host, path }: MountPoint): Actor {
  return {
    host,
    registry: new ClaimRegistry(host, path),
    owner: "11111111-2222-4333-8444-000000000001",
    uid: 7,
  };
}

describe.skipIf(MISSING !== undefined)(`mounts of the real host${ASIDE}`, () => {
  test("a file system is mounted in the folder, runs and serves nothing, and is unmounted", async () => {
    using point = new MountPoint();
    await point.mount();
    expect(point.lines()).toEqual([
      expect.stringMatching(/ rw,nosuid,nodev,noexec,.* - tmpfs svirt-test .*size=1024k/),
    ]);
    expect(point.host.listMounts().findLast(({ path }) => path === point.target)).toMatchObject({
      type: "tmpfs",
      source: "svirt-test",
      device: point.id(point.target).device,
    });
    writeFileSync(`${point.target}/file`, "text");
    await point.unmount();
    expect([point.lines(), existsSync(`${point.target}/file`)]).toEqual([[], false]);
  });

  test("a file system that is opened and not attached is in no folder, and has attributes", async () => {
    using point = new MountPoint();
    const opened = await point.host.openMount(MEMORY);
    expect(point.lines()).toEqual([]);
    expect(opened.setXattr("trusted.svirt.test", "a")).toBe(true);
    expect(opened.getXattr("trusted.svirt.test")).toBe("a");
    await opened.close();
    expect(point.lines()).toEqual([]);
  });

  test("an opened file system has the inode that its root has when it is attached", async () => {
    using point = new MountPoint();
    const opened = await point.host.openMount(MEMORY);
    opened.attach(point.id(point.target));
    await opened.close();
    expect(point.id(point.target).inode).toBe(opened.inode);
  });

  test("a mount with another label than the guest's is not unmounted for the guest, and a missing one is no error", async () => {
    using point = new MountPoint();
    await point.mount();
    const { above, label, path, source } = ownMountAt(point);
    const step = { do: "unmount-folder", above, label, path, source } as const;
    await runStep(actorOn(point), step);
    expect(point.lines()).toHaveLength(1);
    await point.unmount();
    await runStep(actorOn(point), step);
  });

  test.skipIf(existsSync("/sys/fs/selinux/enforce"))(
    "a kernel without SELinux mounts no folder for a guest",
    async () => {
      using point = new MountPoint();
      const step = ownMountAt(point);
      const { kind, message } = await errorOf(runStep(actorOn(point), step));
      expect([kind, message]).toEqual(["denied", expect.stringContaining(`with the label ${step.label}: `)]);
      expect(point.lines()).toEqual([]);
    },
  );

  test("a folder that was replaced after it was inspected gets no mount", async () => {
    using point = new MountPoint();
    const inspected = point.id(point.target);
    renameSync(point.target, `${point.path}/old`);
    mkdirSync(`${point.path}/host`);
    symlinkSync(`${point.path}/host`, point.target);
    const opened = await point.host.openMount(MEMORY);
    expect(() => opened.attach(inspected)).toThrow("was replaced");
    await opened.close();
    expect(point.lines()).toEqual([]);
  });

  test("a folder that was moved, with a link in place of the folder above it, gets no mount", async () => {
    using point = new MountPoint();
    const above = `${point.path}/above`;
    mkdirSync(`${above}/pool`, { recursive: true });
    const inspected = point.id(`${above}/pool`);
    renameSync(above, `${point.path}/moved`);
    symlinkSync(`${point.path}/moved`, above);
    const opened = await point.host.openMount(MEMORY);
    expect(() => opened.attach(inspected)).toThrow(`the folder is ${point.path}/moved/pool now`);
    await opened.close();
    expect(point.lines()).toEqual([]);
  });

  test("a file system in use stays mounted, and the error says so", async () => {
    using point = new MountPoint();
    await point.mount();
    writeFileSync(`${point.target}/file`, "text");
    const fd = openSync(`${point.target}/file`, "r");
    const { kind, message } = await errorOf(point.unmount());
    closeSync(fd);
    expect([kind, message]).toEqual([
      "in-use",
      `Cannot unmount ${point.target}: a program uses a file in it`,
    ]);
    expect(point.lines()).toHaveLength(1);
    await point.unmount();
    expect(point.lines()).toEqual([]);
  });

  test("a folder without a mount is not unmounted", async () => {
    using point = new MountPoint();
    expect((await errorOf(point.unmount())).message).toContain("(errno 22)");
  });

  test("an option that the kernel refuses is named, with the kernel's words", async () => {
    using point = new MountPoint();
    const order = { ...MEMORY, attempts: [{ type: "tmpfs", options: ["size=much"] }] };
    const { message } = await errorOf(point.mount(order));
    expect(message).toStartWith("Cannot mount svirt-test: tmpfs: ");
    expect(message).toContain("size=much: tmpfs: Bad value for 'size'");
    expect(point.lines()).toEqual([]);
  });

  test("a type that the kernel lacks, and a server without an address, are refused", async () => {
    using point = new MountPoint();
    const none = await errorOf(point.mount({ ...MEMORY, attempts: [{ type: "svirt-none", options: [] }] }));
    expect(none.message).toContain("svirt-none: No such device (errno 19)");
    const server = await errorOf(point.mount({ ...MEMORY, server: "svirt-test.invalid" }));
    expect(server.message).toContain("the name svirt-test.invalid has no address");
  });
});
