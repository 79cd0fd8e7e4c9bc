import { describe, expect, test } from "bun:test";
import type { FilePart } from "../../../../src/host/new-file.ts";
import { defineDomain } from "../../../../src/vm/define/define.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { downloadVolume } from "../../../../src/vm/volume/content/download-volume.ts";
import { uploadVolume } from "../../../../src/vm/volume/content/upload-volume.ts";
import { runOn } from "../../../cli/in-memory.ts";
import { type Machine, snapshot } from "../../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, labelOf, nodeOn, ORIGINAL } from "../../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../../scenes/volumes.ts";

const WHOLE: FilePart = { offset: 0, mostBytes: undefined, isSparse: false };
const FILE = "/srv/content";

/** A machine with a pool, and a file of five bytes. */
function machineWithFile(): Machine {
  const machine = makePoolMachine();
  machine.files.putFolder("/srv", 0o755);
  machine.files.put(FILE, "file", { mode: 0o644, bytes: new Uint8Array(5).fill(7) });
  return machine;
}

const upload = (machine: Machine, key: string, part: Partial<FilePart> = {}) =>
  uploadVolume(nodeOn(machine), { key, pool: "images" }, { file: FILE, part: { ...WHOLE, ...part } });
const download = (
  machine: Machine,
  key: string,
  { file = "/srv/out", ...part }: Partial<FilePart> & { readonly file?: string } = {},
) => downloadVolume(nodeOn(machine), { key, pool: "images" }, { file, part: { ...WHOLE, ...part } });

/** Expects a refusal after which the machine is as it was. Returns its exit code and message. */
async function refusal(machine: Machine, work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const before = snapshot(machine);
  const error = await errorOf(work());
  expect(snapshot(machine)).toEqual(before);
  return [error.exitCode, error.message];
}

describe("uploadVolume()", () => {
  test("writes at the offset, and keeps the rest of the volume, its owner, mode and label", async () => {
    const machine = machineWithFile();
    const volume = machine.files.get(`${IMAGES}/private1.raw`);
    [volume.mode, volume.uid, volume.gid] = [0o640, 107, 36];
    volume.bytes.fill(1);
    await upload(machine, "private1.raw", { offset: 2 });
    const { bytes, gid, mode, uid } = machine.files.get(`${IMAGES}/private1.raw`);
    expect([...bytes.slice(0, 9)]).toEqual([1, 1, 7, 7, 7, 7, 7, 1, 1]);
    expect([bytes.length, mode, uid, gid]).toEqual([4096, 0o640, 107, 36]);
    expect(labelOf(machine, `${IMAGES}/private1.raw`)).toBe(ORIGINAL);
  });

  test("has its step printed by svirt plan, which changes nothing", async () => {
    const machine = machineWithFile();
    const before = snapshot(machine);
    const words = ["vol-upload", "private1.raw", FILE, "--pool", "images", "--offset", "2"];
    expect(await runOn(machine, "plan", ...words, "--length", "5")).toEqual({
      code: 0,
      out: `  1  overwrite ${IMAGES}/private1.raw from byte 2 with ${FILE}, at most 5 bytes\n`,
      err: "",
    });
    const { out } = await runOn(machine, "plan", ...words, "--json");
    const step = { do: "fill-volume", from: FILE, offset: 2, isSparse: false };
    expect(JSON.parse(out)).toMatchObject({ steps: [step] });
    expect(snapshot(machine)).toEqual(before);
  });

  test.each([
    ["the disk", "private1.raw", diskXml(`${IMAGES}/private1.raw`, "vda")],
    ["the backing file of a disk", "base.raw", diskXml(`${IMAGES}/top.qcow2`, "vda")],
    ["a read-only disk", "install.iso", diskXml(`${IMAGES}/install.iso`, "vda", "<readonly/>")],
  ])("refuses %s of a running guest", async (_, name, disks) => {
    const machine = machineWithFile();
    await startDomain(nodeOn(machine), domainXml({ disks }));
    const why = "the guest vm1 uses that file";
    expect(await refusal(machine, () => upload(machine, name))).toEqual([
      5,
      `Cannot upload to ${IMAGES}/${name}: ${why}`,
    ]);
    expect(await refusal(machine, () => download(machine, name))).toEqual([
      5,
      `Cannot download ${IMAGES}/${name}: ${why}`,
    ]);
  });

  test("refuses the disk of a definition, and a volume below another one", async () => {
    const machine = machineWithFile();
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    expect(await refusal(machine, () => upload(machine, "private1.raw"))).toEqual([
      5,
      `Cannot upload to ${IMAGES}/private1.raw: the domain 'vm1' has it`,
    ]);
    expect(await refusal(machine, () => upload(machine, "base.raw"))).toEqual([
      5,
      `Cannot upload to ${IMAGES}/base.raw: the volume ${IMAGES}/top.qcow2 needs it`,
    ]);
  });

  test("refuses a file of the host that a restricted key names", async () => {
    const machine = machineWithFile();
    const node = { ...nodeOn(machine), isForKey: true } as const;
    const volume = { key: "private1.raw", pool: "images" };
    const [code, message] = await refusal(machine, () =>
      uploadVolume(node, volume, { file: FILE, part: WHOLE }),
    );
    expect([code, message]).toEqual([
      5,
      `Cannot upload ${FILE}: a restricted key uploads standard input only`,
    ]);
  });

  test("refuses a volume that is missing", async () => {
    const machine = machineWithFile();
    expect((await refusal(machine, () => upload(machine, "none")))[0]).toBe(3);
  });
});

describe("downloadVolume()", () => {
  test("copies a part to a new file of mode 0600", async () => {
    const machine = machineWithFile();
    machine.files.get(`${IMAGES}/private1.raw`).bytes.set([1, 2, 3, 4]);
    await download(machine, "private1.raw", { offset: 1, mostBytes: 2 });
    const { bytes, mode } = machine.files.get("/srv/out");
    expect([[...bytes], mode]).toEqual([[2, 3], 0o600]);
  });

  test("replaces a file with its owner and mode, but not so that it runs as its owner", async () => {
    const machine = machineWithFile();
    const old = machine.files.get(FILE);
    [old.mode, old.uid, old.gid] = [0o4755, 107, 36];
    await download(machine, "private1.raw", { file: FILE });
    const { bytes, gid, mode, uid } = machine.files.get(FILE);
    expect([bytes.length, mode, uid, gid]).toEqual([4096, 0o755, 107, 36]);
  });

  test("of an offset behind the end is empty", async () => {
    const machine = machineWithFile();
    await download(machine, "private1.raw", { offset: 9000 });
    expect(machine.files.get("/srv/out").bytes.length).toBe(0);
  });

  test("also of a volume that a definition has", async () => {
    const machine = machineWithFile();
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    await download(machine, "private1.raw");
    expect(machine.files.get("/srv/out").bytes.length).toBe(4096);
  });

  test.each([
    ["the disk of a guest", `${IMAGES}/private2.raw`, 5],
    ["a file of the host", "/etc/shadow", 5],
    ["a file in a missing folder", "/nowhere/out", 3],
  ])("does not write to %s", async (_, file, code) => {
    const machine = machineWithFile();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private2.raw`, "vda") }));
    expect((await refusal(machine, () => download(machine, "private1.raw", { file })))[0]).toBe(code);
  });
});
