import { expect, test } from "bun:test";
import { diskXml, domainXml, labelOf, makeMachine, ORIGINAL } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const IMAGES = "/var/lib/images";

async function definedMachine() {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", {
    bytes: domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }),
  });
  await runOn(machine, "define", "/vm.xml");
  return machine;
}

const targets = (xml: string): string[] =>
  [...xml.matchAll(/<target dev='(\w+)'/g)].map(([, name = ""]) => name);

test("attach-disk --config changes the definition alone, --live the guest alone, --persistent both", async () => {
  const machine = await definedMachine();
  await runOn(machine, "start", "vm1");
  const [live, config] = [
    ["dumpxml", "vm1"],
    ["dumpxml", "vm1", "--inactive"],
  ];
  const both = async () => [
    targets((await runOn(machine, ...live)).out),
    targets((await runOn(machine, ...config)).out),
  ];
  const attach = (file: string, target: string, option: string) =>
    runOn(machine, "attach-disk", "vm1", `${IMAGES}/${file}`, target, option);
  expect((await attach("private2.raw", "vdb", "--config")).out).toBe("Disk attached successfully\n\n");
  expect(labelOf(machine, `${IMAGES}/private2.raw`)).toBe(ORIGINAL);
  expect(await both()).toEqual([["vda"], ["vda", "vdb"]]);
  await attach("private3.raw", "vdc", "--live");
  expect(await both()).toEqual([
    ["vda", "vdc"],
    ["vda", "vdb"],
  ]);
  await attach("private4.raw", "vdd", "--persistent");
  expect(await both()).toEqual([
    ["vda", "vdc", "vdd"],
    ["vda", "vdb", "vdd"],
  ]);
  const detached = await runOn(machine, "detach-disk", "vm1", "vdd", "--persistent");
  expect(detached).toEqual({ code: 0, out: "Disk detached successfully\n\n", err: "" });
  expect(await both()).toEqual([
    ["vda", "vdc"],
    ["vda", "vdb"],
  ]);
});

test.each([
  ["--live", 4, "Requested operation is not valid: domain is not running"],
  ["--current --config", 2, "Options --config and --current are mutually exclusive"],
])("attach-disk %s on a domain that is off is refused in libvirt's words", async (options, code, message) => {
  const machine = await definedMachine();
  const words = ["attach-disk", "vm1", `${IMAGES}/private2.raw`, "vdb", ...options.split(" ")];
  const said = await runOn(machine, ...words);
  expect([said.code, said.err.split("\n")[0]]).toEqual([code, `error: ${message}`]);
});
