import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileFacts } from "../../../src/host/files.ts";
import { makeLinuxHost } from "../../../src/host/linux/linux-host.ts";
import { inverse } from "../../../src/plan/steps/inverse.ts";
import type { Step } from "../../../src/plan/steps/step.ts";
import { commandsOf } from "../../../src/qemu/monitor/plug-commands.ts";
import { isPlugged, plugIn, unplug } from "../../../src/run/steps/device.ts";
import { setMedium } from "../../../src/run/steps/set-medium.ts";
import { qemuProgram } from "../../qemu/real-qemu.ts";
import { errorOf } from "../../scenes/scene.ts";
import { untilListening } from "../until-listening.ts";

type Plug = Extract<Step, { do: "plug" }>;
type Unplug = Extract<Step, { do: "unplug" }>;

// QEMU documents neither its messages nor this behaviour, so a real QEMU without a guest is asked.
const missing = qemuProgram === null ? " (skipped: qemu-system-x86_64 or qemu-img is missing)" : "";

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
  const peerAt = (name: string, socket: string): NonNullable<Plug["peers"]>[number] => {
    const facts = host.inspectFile(socket);
    if (facts === undefined) throw new Error("nobody listens");
    return { name, uid: process.getuid?.() ?? 0, socket: facts.id };
  };
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
      "-M q35,accel=tcg,memory-backend=ram0 -m 32 -object memory-backend-memfd,id=ram0,size=32M,share=on -display none " +
      "-nodefaults -S -device virtio-scsi-pci,id=scsi0 -device ide-cd,id=cd0 -device pcie-root-port,id=port0";
    const socket = ["-qmp", `unix:${monitor},server=on,wait=off`];
    qemu = Bun.spawn([qemuProgram ?? "", ...words.split(" "), ...socket], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    await untilListening(monitor);
  });
  afterAll(async () => {
    qemu?.kill();
    // QEMU removes its socket at its end, while the folder is removed.
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

  // --nbd-server and --export of qemu-storage-daemon(1), an independent program.
  test.skipIf(Bun.which("qemu-storage-daemon") === null)(
    "is connected with programs that serve disks, and leaves their connections as it leaves the disks",
    async () => {
      const [nbd, block] = [join(folder, "nbd.sock"), join(folder, "block.sock")];
      for (const name of ["a.raw", "b.raw"])
        fs.writeFileSync(join(folder, name), new Uint8Array(1024 * 1024));
      const daemon = Bun.spawn(
        `qemu-storage-daemon --blockdev file,node-name=a,filename=a.raw --blockdev file,node-name=b,filename=b.raw
        --nbd-server addr.type=unix,addr.path=${nbd} --export nbd,id=e1,node-name=a,name=x,writable=on
        --export vhost-user-blk,id=e2,node-name=b,addr.type=unix,addr.path=${block},writable=on`.split(/\s+/),
        { cwd: folder, stdio: ["ignore", "ignore", "inherit"] },
      );
      try {
        await untilListening(block);
        const before = await ask("query-named-block-nodes");
        const served: Plug = {
          ...plugOf(7, "none", { ...scsi, drive: "nbd0" }),
          files: [],
          peers: [peerAt("peer0", nbd)],
        };
        const server = { type: "fd", str: "peer0" };
        const node = { driver: "nbd", server, export: "x", "node-name": "nbd0" };
        const commands = [{ execute: "blockdev-add", arguments: node }, ...served.commands.slice(1)];
        await plugIn(host, { ...served, commands });
        expect(await ask("query-named-block-nodes")).toContain('"node-name":"nbd0"');
        await unplug(host, backOf({ ...served, commands }));
        expect(await ask("query-named-block-nodes")).toBe(before);

        const chardev = ["-chardev", "socket,id=chr-vu-d,fd=peer1"];
        const device = { driver: "vhost-user-blk-pci", chardev: "chr-vu-d", id: "d", bus: "port0" };
        const whole = [...commandsOf(chardev), { execute: "device_add", arguments: device }];
        const second = { ...served, peers: [peerAt("peer1", block)] };
        await plugIn(host, { ...second, commands: whole });
        expect(await isPlugged(host, backOf({ ...second, commands: whole }))).toBe(true);
        // No guest runs that could release a device on PCI; an unused chardev is removed.
        const alone = commandsOf(["-chardev", "socket,id=alone,fd=peer2"]);
        const third = { ...served, peers: [peerAt("peer2", nbd)], commands: alone };
        await plugIn(host, third);
        expect(await ask("query-chardev")).toContain('"label":"alone"');
        await unplug(host, backOf(third));
        expect(await ask("query-chardev")).not.toContain('"label":"alone"');
        // An unused connection is closed as well.
        await plugIn(host, { ...third, commands: [] });
        await unplug(host, backOf(third));
        const taken = await errorOf(plugIn(host, { ...third, peers: [], commands: alone }));
        expect(taken.message).toContain("File descriptor named 'peer2' has not been found");
      } finally {
        daemon.kill();
        await daemon.exited;
      }
    },
    60_000,
  );

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

  for (const command of ["blockdev-remove-medium", "blockdev-insert-medium"]) {
    test(`has its medium changed although the guest closes the tray before ${command}`, async () => {
      await plugIn(host, plugOf(8, "one.iso", {}));
      await plugIn(host, plugOf(9, "two.iso", {}));
      const change = { do: "set-medium", monitor, device: "cd0", force: false } as const;
      await setMedium(host, { ...change, to: "libvirt-8-storage" });
      await setMedium(closingTrayBefore(command, 2), { ...change, to: "libvirt-9-storage" });
      expect(await ask("query-block")).toContain('"node-name":"libvirt-9-storage"');
      await setMedium(host, change);
      await unplug(host, backOf(plugOf(8, "one.iso", {})));
      await unplug(host, backOf(plugOf(9, "two.iso", {})));
    });
  }

  test("keeps its medium when the guest always closes the tray, and QEMU's message says so", async () => {
    await plugIn(host, plugOf(8, "one.iso", {}));
    const change = { do: "set-medium", monitor, device: "cd0", force: false } as const;
    await setMedium(host, { ...change, to: "libvirt-8-storage" });
    const guest = closingTrayBefore("blockdev-remove-medium", Number.POSITIVE_INFINITY);
    const began = host.nowMs();
    // A clock that is fast, so that the time for the tray is over soon.
    const error = await errorOf(
      setMedium({ ...guest, nowMs: () => began + 50 * (host.nowMs() - began) }, change),
    );
    expect(error.message).toContain("Tray of device 'cd0' is not open");
    expect(await ask("query-block")).toContain('"node-name":"libvirt-8-storage"');
    await setMedium(host, change);
    await unplug(host, backOf(plugOf(8, "one.iso", {})));
  });

  /** A host whose monitor closes the tray of cd0 before this command, as a guest does, so many times. */
  function closingTrayBefore(command: string, times: number): typeof host {
    let left = times;
    return {
      ...host,
      connectMonitor: async (path, timeoutMs) => {
        const real = await host.connectMonitor(path, timeoutMs);
        return {
          ...real,
          close: () => real.close(),
          execute: async (name, words) => {
            if (name === command && left-- > 0) await real.execute("blockdev-close-tray", { id: "cd0" });
            return real.execute(name, words);
          },
        };
      },
    };
  }
});
