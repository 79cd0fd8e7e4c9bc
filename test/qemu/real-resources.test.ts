import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { bootDisk } from "../guest/boot-sector.ts";
import { type DomainOptions, qemuProgram, type RealQemu, startQemu, testDomain } from "./real-qemu.ts";

// Runs other programs, on a machine that may be busy.
setDefaultTimeout(60_000);

const missing = qemuProgram === null ? " (skipped: qemu-system-x86_64 or qemu-img is missing)" : "";

describe.skipIf(qemuProgram === null)(`QEMU finds what a guest has besides disks${missing}`, () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "svirt-resources-"));
  let running: RealQemu | undefined;
  afterAll(() => fs.rmSync(root, { recursive: true }));
  afterEach(() => running?.kill());
  const at = (name: string): string => path.join(root, name);
  const start = async (devices: string, options: DomainOptions = {}) => {
    const folder = fs.mkdtempSync(at("guest-"));
    running = await startQemu(testDomain(devices, options), folder, new Map());
    return { qemu: running, folder };
  };

  test("flash: its code for reading only, its variables for writing", async () => {
    for (const name of ["code.fd", "vars.fd"]) fs.writeFileSync(at(name), new Uint8Array(65_536).fill(0xf4));
    const boot = `<loader readonly='yes' type='pflash'>${at("code.fd")}</loader><nvram>${at("vars.fd")}</nvram>`;
    const { qemu } = await start("", { boot });
    const nodes = (await qemu.execute("query-named-block-nodes", { flat: true })) as readonly {
      readonly "node-name": string;
      readonly ro: boolean;
    }[];
    const isReadOnly = (name: string) => nodes.find((node) => node["node-name"] === name)?.ro;
    expect(isReadOnly("libvirt-pflash0-storage")).toBe(true);
    expect(isReadOnly("libvirt-pflash1-storage")).toBe(false);
    expect(qemu.words.join(" ")).not.toContain(root.concat("/code"));
  });

  test("flash in qcow2", async () => {
    for (const name of ["code.qcow2", "vars.qcow2"])
      expect(Bun.spawnSync(["qemu-img", "create", "-q", "-f", "qcow2", at(name), "64K"]).success).toBe(true);
    const loader = `<loader readonly='yes' type='pflash' format='qcow2'>${at("code.qcow2")}</loader>`;
    const { qemu } = await start("", { boot: `${loader}<nvram format='qcow2'>${at("vars.qcow2")}</nvram>` });
    expect(await qemu.execute("query-status")).toMatchObject({ status: "prelaunch" });
  });

  test("a ROM", async () => {
    const rom = "/usr/share/seabios/bios-256k.bin";
    const { qemu } = await start("", { boot: `<loader type='rom'>${rom}</loader>` });
    expect(await qemu.execute("query-status")).toMatchObject({ status: "prelaunch" });
    expect(qemu.words.join(" ")).not.toContain(rom);
  });

  test("a pipe that its other side opens and closes, and the log of a port", async () => {
    fs.writeFileSync(at("boot.raw"), bootDisk("the guest speaks\r\n", { do: "power-off" }));
    expect(Bun.spawnSync(["mkfifo", at("pipe.in"), at("pipe.out")]).success).toBe(true);
    const disk = `<disk type='file'><source file='${at("boot.raw")}'/><target dev='vda'/></disk>`;
    const serial = `<serial type='pipe'><source path='${at("pipe")}'/><log file='${at("log")}'/></serial>`;
    const { qemu } = await start(disk + serial);
    const reader = fs.openSync(at("pipe.out"), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    fs.closeSync(fs.openSync(at("pipe.in"), fs.constants.O_WRONLY | fs.constants.O_NONBLOCK));
    await qemu.execute("cont");
    expect(await qemu.exited).toBe(0);
    expect(fs.readFileSync(reader, "utf8")).toBe("the guest speaks\r\n");
    fs.closeSync(reader);
    expect(fs.readFileSync(at("log"), "utf8")).toBe("the guest speaks\r\n");
  });

  test.each([
    ["a file in its own folder", "<source type='file'/>", true],
    ["a file that others may map", "<access mode='shared'/>", true],
    ["a file without a name", "<source type='memfd'/><access mode='shared'/>", false],
  ])("memory that is %s", async (_, backing, isInFolder) => {
    const { folder, qemu } = await start("", { rest: `<memoryBacking>${backing}</memoryBacking>` });
    const [memory] = (await qemu.execute("query-memdev")) as readonly { readonly share: boolean }[];
    expect(memory?.share).toBe(backing.includes("shared"));
    expect(fs.existsSync(path.join(folder, "pc.ram"))).toBe(isInFolder);
  });
});
