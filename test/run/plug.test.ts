import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import type { FileFacts } from "../../src/host.ts";
import { inverse, type Step } from "../../src/plan/step.ts";
import { isPlugged, plugIn, unplug } from "../../src/run/plug.ts";
import { setMedium } from "../../src/run/set-medium.ts";
import { qemuProgram } from "../qemu/real-qemu.ts";
import { errorOf } from "../vm/scene.ts";

type Plug = Extract<Step, { do: "plug" }>;
type Unplug = Extract<Step, { do: "unplug" }>;

// What QEMU says and does is not in any document of its own: so a real one is asked, without a guest in it.
const missing = qemuProgram === null ? " (skipped: qemu-system-x86_64 is missing)" : "";

describe.skipIf(qemuProgram === null)(`a real QEMU${missing}`, () => {
  const host = makeLinuxHost();
  const folder = fs.mkdtempSync(join(tmpdir(), "svirt-plug-"));
  const monitor = join(folder, "monitor.sock");
  let qemu: Bun.Subprocess | undefined;

  const found = (name: string): FileFacts["id"] => {
    const file = join(folder, name);
    fs.writeFileSync(file, new Uint8Array(1024 * 1024));
    const facts = host.inspectFile(file);
    if (facts === undefined) throw new Error("the file is not there");
    return facts.id;
  };
  const plugOf = (set: number, name: string, device: Readonly<Record<string, unknown>>): Plug => ({
    do: "plug",
    monitor,
    files: [{ fd: set, file: found(name), access: "read-write", truncate: false, direct: false }],
    commands: [
      {
        execute: "blockdev-add",
        arguments: { driver: "file", filename: `/dev/fdset/${set}`, "node-name": `libvirt-${set}-storage` },
      },
      ...("driver" in device ? [{ execute: "device_add", arguments: device }] : []),
    ],
  });
  const disk = plugOf.bind(undefined, 7, "disk.raw");
  const scsi = { driver: "scsi-hd", bus: "scsi0.0", drive: "libvirt-7-storage", id: "scsi0-0-0-0" };
  const backOf = (step: Plug): Unplug => {
    const back = inverse(step);
    if (back?.do === "unplug") return back;
    throw new Error("the inverse is no unplug");
  };
  const ask = async (command: string): Promise<string> => {
    const conversation = await host.connectMonitor(monitor, 5000);
    try {
      return JSON.stringify(await conversation.execute(command, {}));
    } finally {
      conversation.close();
    }
  };

  beforeAll(async () => {
    const words =
      "-M q35,accel=tcg -m 32 -display none -nodefaults -S -device virtio-scsi-pci,id=scsi0 -device ide-cd,id=cd0";
    const socket = ["-qmp", `unix:${monitor},server=on,wait=off`];
    qemu = Bun.spawn([qemuProgram ?? "", ...words.split(" "), ...socket], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    while (!fs.existsSync(monitor)) await Bun.sleep(20);
  });
  afterAll(async () => {
    qemu?.kill();
    // At its end it takes its socket away, while the folder goes.
    await qemu?.exited;
    fs.rmSync(folder, { recursive: true });
  });

  test("takes a file by descriptor, and gives all back", async () => {
    const before = [await ask("query-named-block-nodes"), await ask("query-fdsets")];
    await plugIn(host, disk(scsi));
    expect(await ask("query-fdsets")).toContain('"fdset-id": 7'.replace(" ", ""));
    expect(await isPlugged(host, backOf(disk(scsi)))).toBe(true);
    await unplug(host, backOf(disk(scsi)));
    expect(await isPlugged(host, backOf(disk(scsi)))).toBe(false);
    expect([await ask("query-named-block-nodes"), await ask("query-fdsets")]).toEqual(before);
  });

  test("does not mind that nothing of it is there", async () => {
    const step = disk(scsi);
    const more: Plug = {
      ...step,
      commands: [
        ...step.commands,
        { execute: "netdev_add", arguments: { type: "user", id: "hostnet9" } },
        { execute: "object-add", arguments: { "qom-type": "rng-builtin", id: "objrng9" } },
      ],
    };
    await unplug(host, backOf(more));
  });

  test("says why it refuses, and what it did take is given back", async () => {
    const step = disk({ ...scsi, bus: "none.0" });
    const error = await errorOf(plugIn(host, step));
    expect(error.message).toBe("internal error: unable to execute QEMU command: Bus 'none.0' not found");
    await unplug(host, backOf(step));
    expect(await ask("query-fdsets")).toBe("[]");
  });

  test("has its media changed, back and forth, and emptied", async () => {
    await plugIn(host, plugOf(8, "one.iso", {}));
    await plugIn(host, plugOf(9, "two.iso", {}));
    const change = { do: "set-medium", monitor, device: "cd0", force: false } as const;
    for (const to of ["libvirt-8-storage", "libvirt-9-storage", "libvirt-9-storage", "libvirt-8-storage"]) {
      await setMedium(host, { ...change, to });
      expect(await ask("query-block")).toContain(`"node-name":"${to}"`);
    }
    await setMedium(host, change);
    expect(await ask("query-block")).not.toContain("libvirt-8-storage");
    await unplug(host, backOf(plugOf(8, "one.iso", {})));
    await unplug(host, backOf(plugOf(9, "two.iso", {})));
  });
});
