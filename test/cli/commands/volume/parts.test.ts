import { describe, expect, test } from "bun:test";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { printVolume } from "../../../../src/vm/volume/print-volume.ts";
import { diskXml, domainXml, nodeOn } from "../../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../../scenes/volumes.ts";
import { runOn } from "../../in-memory.ts";

describe("svirt vol-upload and vol-download", () => {
  test("print nothing, as virsh's", async () => {
    const machine = makePoolMachine();
    const source = `${IMAGES}/private1.raw`;
    machine.files.get(source).bytes.fill(7);
    expect(await runOn(machine, "vol-upload", "private2.raw", source, "--pool", "images")).toEqual({
      code: 0,
      out: "",
      err: "",
    });
    const words = ["vol-download", "private2.raw", `${IMAGES}/out`, "--pool", "images", "--length", "3"];
    expect(await runOn(machine, ...words)).toEqual({ code: 0, out: "", err: "" });
    expect([...machine.files.get(`${IMAGES}/out`).bytes]).toEqual([7, 7, 7]);
  });

  test.each(["0", "-1"])("take all with --length=%s", async (length) => {
    const machine = makePoolMachine();
    const words = ["vol-download", "private2.raw", `${IMAGES}/out`, "--pool=images", `--length=${length}`];
    expect((await runOn(machine, ...words)).code).toBe(0);
    expect(machine.files.get(`${IMAGES}/out`).bytes.length).toBe(4096);
  });

  // As virsh 11.3 refuses them.
  test.each([
    ["offset", "2M"],
    ["offset", "-1"],
    ["offset", "99999999999999999999"],
    ["length", "abc"],
    ["length", ""],
  ])("refuse --%s=%s", async (name, word) => {
    const machine = makePoolMachine();
    for (const command of ["vol-upload", "vol-download"]) {
      const said = await runOn(machine, command, "private1.raw", "/x", "--pool=images", `--${name}=${word}`);
      expect([said.code, said.err.split("\n")[0]]).toEqual([
        2,
        `error: Numeric value '${word}' for <${name}> option is malformed or out of range`,
      ]);
    }
  });
});

describe("svirt vol-download to standard output", () => {
  const machineWithData = () => {
    const machine = makePoolMachine();
    machine.files.get(`${IMAGES}/private1.raw`).bytes.set(new TextEncoder().encode("0123456789"));
    return machine;
  };

  test.each(["-", "/dev/stdout"])(
    "prints a part of the volume and nothing else, as virsh to /dev/stdout: %s",
    async (file) => {
      const words = ["vol-download", "private1.raw", file, "--pool=images", "--offset=2", "--length=5"];
      expect(await runOn(machineWithData(), ...words)).toEqual({ code: 0, out: "23456", err: "" });
      const behind = ["vol-download", "private1.raw", file, "--pool=images", "--offset=9999"];
      expect(await runOn(machineWithData(), ...behind)).toEqual({ code: 0, out: "", err: "" });
    },
  );

  test("shows the progress on standard error", async () => {
    const { err, out } = await runOn(
      machineWithData(),
      "vol-download",
      "private1.raw",
      "-",
      "--pool=images",
      "--verbose",
    );
    expect([out.length, err]).toEqual([4096, expect.stringContaining("Download: [100.00 %]")]);
  });

  test("refuses --sparse, and a volume that a guest uses", async () => {
    const machine = machineWithData();
    const words = ["vol-download", "private1.raw", "-", "--pool=images"];
    expect(await runOn(machine, ...words, "--sparse")).toMatchObject({ code: 2, out: "" });
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    expect(await runOn(machine, ...words)).toMatchObject({ code: 5, out: "" });
  });

  test("stops when its reader closes it, and fails when the volume changes meanwhile", async () => {
    const machine = machineWithData();
    const volume = { key: "private1.raw", pool: "images" };
    const part = { offset: 0, mostBytes: undefined, isSparse: false };
    await printVolume(nodeOn(machine), volume, { part, print: () => false });
    const print = (): boolean => {
      machine.files.get(`${IMAGES}/private1.raw`).bytes = new Uint8Array(5000);
      return true;
    };
    await expect(printVolume(nodeOn(machine), volume, { part, print })).rejects.toThrow(
      "it changed meanwhile",
    );
  });
});
