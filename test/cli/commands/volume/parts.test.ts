import { describe, expect, test } from "bun:test";
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
