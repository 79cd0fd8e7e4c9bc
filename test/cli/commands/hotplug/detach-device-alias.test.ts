import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { asked, call, domain, errorIn, text, word } from "../../../rpc/remote-client.ts";
import { recordOf, wholeState } from "../../../scenes/hotplug.ts";
import { diskXml, domainXml, labelOf, makeMachine, nodeOn, ORIGINAL, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

// cmdDetachDeviceAlias() of libvirt's tools/virsh-domain.c; qemuDomainDetachDeviceAlias() and
// virDomainDefFindDevice().

const SECOND = "/var/lib/images/private2.raw";
const RNG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-luck'/></rng>";

async function running(): Promise<Machine> {
  const machine = makeMachine();
  const disks = diskXml("/var/lib/images/private1.raw", "vda") + diskXml(SECOND, "vdb");
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ disks, devices: RNG }) });
  await runOn(machine, "define", "/vm.xml");
  expect((await runOn(machine, "start", "vm1")).code).toBe(0);
  return machine;
}

const detach = (machine: Machine, ...words: readonly string[]) =>
  runOn(machine, "detach-device-alias", "vm1", ...words);
const inactive = async (machine: Machine): Promise<string> =>
  (await runOn(machine, "dumpxml", "vm1", "--inactive")).out;

describe("detach-device-alias", () => {
  test("detaches the device with the alias that dumpxml shows, and no other", async () => {
    const machine = await running();
    const shown = (await runOn(machine, "dumpxml", "vm1")).out;
    const [, alias = ""] = /<target dev='vdb'.*?<alias name='([^']+)'/s.exec(shown) ?? [];
    expect(await detach(machine, alias)).toEqual({
      code: 0,
      out: "Device detach request sent successfully\n\n",
      err: "",
    });
    const { xml } = recordOf(machine);
    expect([xml.includes("vda"), xml.includes("vdb"), xml.includes("<rng")]).toEqual([true, false, true]);
    expect(labelOf(machine, SECOND)).toBe(ORIGINAL);
    expect(await inactive(machine)).toContain("vdb");
  });

  test("finds an alias of the user in the guest and in the definition", async () => {
    const machine = await running();
    expect((await detach(machine, "ua-luck", "--live", "--config")).code).toBe(0);
    expect(recordOf(machine).xml).not.toContain("<rng");
    expect(await inactive(machine)).not.toContain("<rng");
  });

  test("is answered to clients", async () => {
    const machine = await running();
    const packet = (alias: string, flags: number): string =>
      call(392, domain("vm1", UUID, 1) + text(alias) + word(flags));
    expect(errorIn(await asked(nodeOn(machine), packet("ua-luck", 0)))).toBeUndefined();
    expect(errorIn(await asked(nodeOn(machine), packet("ua-luck", 0)))).toMatchObject({
      code: 1,
      domain: 20,
      message: "internal error: no device found with alias ua-luck",
    });
    expect(errorIn(await asked(nodeOn(machine), packet("ua-luck", 4)))?.code).toBe(8);
  });

  test.each([
    [["none"], 1, "no device found with alias none"],
    [["virtio-disk1", "--config"], 1, "no device found"],
    [["balloon0"], 2, "a memballoon cannot be detached"],
  ])("refuses %p, and changes nothing", async (words, code, says) => {
    const machine = await running();
    const before = [...wholeState(machine), await inactive(machine)];
    const said = await detach(machine, ...words);
    expect([said.code, said.err]).toEqual([code, expect.stringContaining(says)]);
    expect([...wholeState(machine), await inactive(machine)]).toEqual(before);
  });
});
