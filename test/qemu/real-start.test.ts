import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { FoundChains } from "../../src/qemu/disk-chain.ts";
import { bootDisk } from "../guest/boot-sector.ts";
import { qemuProgram, type RealQemu, startQemu, testDomain } from "./real-qemu.ts";

const missing = qemuProgram === null ? " (skipped: qemu-system-x86_64 is missing)" : "";

describe.skipIf(qemuProgram === null)(`formatArgv() for a real start${missing}`, () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "svirt-qemu-"));
  let running: RealQemu | undefined;
  afterAll(() => fs.rmSync(root, { recursive: true }));
  afterEach(() => running?.kill());
  const at = (name: string): string => path.join(root, name);
  const start = async (
    devices: string,
    facts: Parameters<typeof testDomain>[1] & { readonly chains?: FoundChains } = {},
  ) => {
    const folder = fs.mkdtempSync(at("guest-"));
    running = await startQemu(testDomain(devices, facts), folder, facts.chains ?? new Map());
    return { qemu: running, folder };
  };

  beforeAll(() => {
    fs.writeFileSync(at("base.raw"), bootDisk("the base speaks\r\n", { do: "power-off" }));
    fs.writeFileSync(at("beat.raw"), bootDisk("beat", { do: "beat" }));
    fs.writeFileSync(at("reboot.raw"), bootDisk("again\r\n", { do: "reboot" }));
    const made = Bun.spawnSync(
      ["qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "top.qcow2"],
      { cwd: root },
    );
    if (!made.success) throw new Error(made.stderr.toString());
  });
  const chains: FoundChains = new Map([
    [
      "vda",
      [
        { path: at("top.qcow2"), format: "qcow2", role: "top", readOnly: false, storage: "file" },
        { path: at("base.raw"), format: "raw", role: "backing", readOnly: true, storage: "file" },
      ],
    ],
  ]);
  const overlay = `<disk type='file'><driver type='qcow2'/><source file='${at("top.qcow2")}'/><target dev='vda'/></disk>`;
  const log = `<serial type='file'><source path='${at("serial.log")}'/></serial>`;

  test("runs a guest from a chain until it powers off, and its words are in the log", async () => {
    const { qemu } = await start(`${overlay}${log}`, { chains });
    expect(await qemu.execute("query-status")).toMatchObject({ status: "prelaunch", running: false });
    await qemu.execute("cont");
    expect(await qemu.exited).toBe(0);
    expect(fs.readFileSync(at("serial.log"), "utf8")).toBe("the base speaks\r\n");
    expect(qemu.words.join(" ")).not.toContain(root.concat("/top"));
  });

  test.each(["pc", "q35"])("gives a %s its disks on every bus, as the XML says", async (machine) => {
    const bus = machine === "pc" ? "ide" : "sata";
    const disk = (dev: string, target: string, rest = ""): string => {
      const file = at(`${machine}-${dev}.raw`);
      fs.writeFileSync(file, new Uint8Array(1024 * 1024));
      return `<disk type='file' ${rest}><source file='${file}'/><target dev='${dev}' bus='${target}'/></disk>`;
    };
    const devices = [
      disk("vda", "virtio"),
      disk(machine === "pc" ? "hda" : "sda", bus),
      disk("sdb", "scsi"),
      disk("sdc", "usb"),
      `<disk device='cdrom'><target dev='${machine === "pc" ? "hdc" : "sdd"}' bus='${bus}'/></disk>`,
      "<controller type='scsi' model='virtio-scsi'/><rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
      "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>",
      "<channel type='unix'><source mode='bind'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
      "<console type='pty'/><input type='tablet' bus='usb'/><video><model type='virtio'/></video>",
      "<graphics type='vnc'><listen type='socket'/></graphics><watchdog model='i6300esb' action='pause'/>",
    ];
    const { qemu, folder } = await start(devices.join(""), { machine });
    const blocks = (await qemu.execute("query-block")) as readonly { readonly qdev: string }[];
    const ids = blocks.map(({ qdev }) =>
      qdev.replace("/machine/peripheral/", "").replace("/virtio-backend", ""),
    );
    const cdrom = machine === "pc" ? "ide0-1-0" : "sata0-0-3";
    expect(ids.toSorted()).toEqual(
      [
        machine === "pc" ? "ide0-0-0" : "sata0-0-0",
        cdrom,
        "scsi0-0-0-1",
        "usb-disk2/usb-disk2.0/legacy[0]",
        "virtio-disk0",
      ]
        .map((id) => ids.find((found) => found.startsWith(id.split("/")[0] ?? id)) ?? id)
        .toSorted(),
    );
    expect(fs.existsSync(path.join(folder, "channel0.sock"))).toBe(true);
    expect(fs.existsSync(path.join(folder, "vnc.sock"))).toBe(true);
    await qemu.execute("quit");
    expect(await qemu.exited).toBe(0);
  });

  test("a reboot ends the guest where on_reboot is destroy", async () => {
    const disk = `<disk type='file'><source file='${at("reboot.raw")}'/><target dev='vda'/></disk>`;
    const { qemu } = await start(`${disk}${log}`, { rest: "<on_reboot>destroy</on_reboot>" });
    await qemu.execute("cont");
    expect(await qemu.exited).toBe(0);
    expect(fs.readFileSync(at("serial.log"), "utf8")).toBe("again\r\n");
  });

  test("a power-off pauses the guest where on_poweroff is preserve", async () => {
    const { qemu } = await start(`${overlay}${log}`, { chains, rest: "<on_poweroff>preserve</on_poweroff>" });
    await qemu.execute("cont");
    while (!qemu.events.some((event) => event.is === "event" && event.name === "SHUTDOWN"))
      await Bun.sleep(10);
    expect(await qemu.execute("query-status")).toMatchObject({ status: "shutdown" });
  });
});
