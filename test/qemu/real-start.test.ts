// In turn: it takes seconds of a processor.
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import type { FoundChains } from "../../src/qemu/devices/disk/chain.ts";
import { parsePtys } from "../../src/qemu/monitor/ptys.ts";
import { listStartCommands } from "../../src/qemu/start-commands.ts";
import { bootDisk } from "../guest/boot-sector.ts";
import { echoKernel } from "../guest/kernel.ts";
import {
  type DomainOptions,
  hasKvm,
  qemuProgram,
  type RealQemu,
  startQemu,
  testDomain,
} from "./real-qemu.ts";

// Runs other programs, on a machine that may be busy.
setDefaultTimeout(60_000);

const missing = qemuProgram === null ? " (skipped: qemu-system-x86_64 or qemu-img is missing)" : "";

describe.skipIf(qemuProgram === null)(`formatArgv() for a real start${missing}`, () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "svirt-qemu-"));
  let running: RealQemu | undefined;
  afterAll(() => fs.rmSync(root, { recursive: true }));
  afterEach(() => running?.kill());
  const at = (name: string): string => path.join(root, name);
  const start = async (devices: string, facts: DomainOptions & { readonly chains?: FoundChains } = {}) => {
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

  test("opens a disk past the host's cache where it is told so, and twice for two ways", async () => {
    const disk = (target: string, file: string, cache: string): string =>
      `<disk type='file'><driver type='raw' cache='${cache}'/><source file='${at(file)}'/><target dev='${target}'/></disk>`;
    const { qemu } = await start(
      `${disk("vda", "beat.raw", "none")}${disk("vdb", "reboot.raw", "writeback")}`,
    );
    const blocks = (await qemu.execute("query-block")) as readonly {
      inserted: { cache: { direct: boolean } };
    }[];
    expect(blocks.map(({ inserted }) => inserted.cache.direct)).toEqual([true, false]);
  });

  test("finds the data of a qcow2 image in its other file", async () => {
    const made = Bun.spawnSync(
      ["qemu-img", "convert", "-n", "-f", "raw", "-O", "qcow2", at("base.raw"), dataImage(at)],
      { cwd: root },
    );
    expect(made.stderr.toString()).toBe("");
    const files = [
      { path: at("data.qcow2"), format: "qcow2", role: "top", readOnly: false, storage: "file" },
      { path: at("data.raw"), format: "raw", role: "data-file", readOnly: false, storage: "file" },
    ] as const;
    const disk = `<disk><driver type='qcow2'/><source file='${at("data.qcow2")}'/><target dev='vda'/></disk>`;
    const { qemu } = await start(`${disk}${log}`, { chains: new Map([["vda", files]]) });
    await qemu.execute("cont");
    expect(await qemu.exited).toBe(0);
    expect(fs.readFileSync(at("serial.log"), "utf8")).toBe("the base speaks\r\n");
  });

  test.each([
    ["raw", "base.raw", "raw"],
    ["qcow2", "whole.qcow2", "qcow2"],
  ])("starts from a part of a file: %s", async (_, name, format) => {
    const whole = Bun.spawnSync(
      ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", at("base.raw"), at("whole.qcow2")],
      { cwd: root },
    );
    expect(whole.stderr.toString()).toBe("");
    const image = fs.readFileSync(at(name));
    const size = Math.ceil(image.length / 65_536) * 65_536;
    const bytes = new Uint8Array(65_536 + size + 512);
    bytes.set(image, 65_536);
    fs.writeFileSync(at("parts"), bytes);
    const slice = { offset: 65_536, size };
    const found = { path: at("parts"), role: "top", readOnly: false, storage: "file", slice } as const;
    const files = [{ ...found, format: format === "raw" ? "raw" : "qcow2" } as const];
    const disk = `<disk><driver type='${format}' cache='writeback'/><source file='${at("parts")}'/><target dev='vda'/></disk>`;
    const { qemu } = await start(`${disk}${log}`, { chains: new Map([["vda", files]]) });
    await qemu.execute("cont");
    expect(await qemu.exited).toBe(0);
    expect(fs.readFileSync(at("serial.log"), "utf8")).toBe("the base speaks\r\n");
  });

  test("boots a kernel with its command line and initrd by descriptor", async () => {
    fs.writeFileSync(at("vmlinuz"), echoKernel({ do: "power-off" }));
    fs.writeFileSync(at("initrd"), new Uint8Array(4096));
    const boot = `<kernel>${at("vmlinuz")}</kernel><initrd>${at("initrd")}</initrd><cmdline>root=/dev/vda, quiet</cmdline>`;
    const { qemu } = await start(log, { boot });
    await qemu.execute("cont");
    expect(await qemu.exited).toBe(0);
    expect(fs.readFileSync(at("serial.log"), "utf8")).toBe("root=/dev/vda, quiet");
  });

  test.skipIf(!hasKvm())(
    `uses KVM by descriptor${hasKvm() ? "" : " (skipped: /dev/kvm cannot be opened)"}`,
    async () => {
      const { qemu } = await start("", { type: "kvm" });
      expect(await qemu.execute("query-kvm")).toMatchObject({ enabled: true });
      expect(qemu.words.join(" ")).not.toContain("/dev/kvm");
    },
  );

  test("says the rest to the monitor, and learns the terminal's path", async () => {
    const devices =
      "<serial type='pty'/><interface type='user'><mac address='52:54:00:00:00:01'/><link state='down'/></interface>";
    const rest = "<currentMemory unit='MiB'>32</currentMemory>";
    const balloon = "<memballoon model='virtio'><stats period='10'/></memballoon>";
    const { qemu } = await start(`${devices}${balloon}`, { rest });
    const commands = listStartCommands(completeGuest(testDomain(`${devices}${balloon}`, { rest }))).slice(1);
    expect(commands.map(({ execute }) => execute)).toEqual([
      "balloon",
      "qom-set",
      "set_link",
      "query-chardev",
      "cont",
    ]);
    const answers = new Map<string, unknown>();
    for (const { execute, arguments: args } of commands)
      answers.set(execute, await qemu.execute(execute, args));
    expect(parsePtys(answers.get("query-chardev")).get("serial0")).toMatch(/^\/dev\/pts\/\d+$/);
  });

  test("a reboot ends the guest where on_reboot is destroy", async () => {
    const disk = `<disk type='file'><source file='${at("reboot.raw")}'/><target dev='vda'/></disk>`;
    const { qemu } = await start(`${disk}${log}`, { rest: "<on_reboot>destroy</on_reboot>" });
    await qemu.execute("cont");
    expect(await qemu.exited).toBe(0);
    expect(fs.readFileSync(at("serial.log"), "utf8")).toBe("again\r\n");
  });
});

/** Creates an image whose data are in data.raw. */
function dataImage(at: (name: string) => string): string {
  const made = Bun.spawnSync([
    "qemu-img",
    "create",
    "-q",
    "-f",
    "qcow2",
    "-o",
    `data_file=${at("data.raw")}`,
    at("data.qcow2"),
    "1M",
  ]);
  if (!made.success) throw new Error(made.stderr.toString());
  return at("data.qcow2");
}
