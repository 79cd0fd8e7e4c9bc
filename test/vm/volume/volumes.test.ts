import { describe, expect, test } from "bun:test";
import { parseVolume, type Volume } from "../../../src/storage/volume/document.ts";
import { createVolume } from "../../../src/vm/volume/create-volume.ts";
import { showVolume } from "../../../src/vm/volume/show-volume.ts";
import { bytesOf } from "../../domain/corpus.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { errorOf, labelOf, makeMachine, nodeOn } from "../../scenes/scene.ts";

const FOLDER = "/var/lib/images";
const MIB = 1024 * 1024;
const LABEL = "system_u:object_r:virt_content_t:s0";

function volumeOf(target: string, around = ""): Volume {
  const xml = `<volume><name>new.img</name><capacity unit='MiB'>4</capacity>${around}<target>${target}</target></volume>`;
  return parseVolume(bytesOf(xml));
}

function make(machine: Machine, volume: Volume): Promise<string> {
  return createVolume(nodeOn(machine), FOLDER, volume);
}

describe("createVolume()", () => {
  test("makes a raw image with the label and the mode that its XML asks for", async () => {
    const machine = makeMachine();
    const options = `<permissions><mode>0640</mode><label>${LABEL}</label></permissions>`;
    expect(await make(machine, volumeOf(options))).toBe(`${FOLDER}/new.img`);
    expect(labelOf(machine, `${FOLDER}/new.img`)).toBe(LABEL);
    expect(showVolume(nodeOn(machine), `${FOLDER}/new.img`)).toMatchObject({
      type: "file",
      capacityBytes: 4 * MIB,
      physicalBytes: 4 * MIB,
      target: { format: { type: "raw" }, permissions: { mode: 0o640, owner: 0, label: LABEL } },
    });
  });

  test("makes a qcow2 image as large as the one that it stands on, if it is not told how large", async () => {
    const machine = makeMachine();
    await make(machine, volumeOf(""));
    const above = parseVolume(
      bytesOf(
        `<volume><name>above</name><target><format type='qcow2'/></target>` +
          `<backingStore><path>${FOLDER}/new.img</path><format type='raw'/></backingStore></volume>`,
      ),
    );
    const path = await make(machine, above);
    expect(showVolume(nodeOn(machine), path)).toMatchObject({
      capacityBytes: 4 * MIB,
      target: { format: { type: "qcow2" } },
      backingStore: { path: `${FOLDER}/new.img`, format: { type: "raw" } },
    });
  });

  test.each([
    ["another owner", "<permissions><owner>107</owner></permissions>", "target/permissions"],
    ["encryption", "<encryption format='luks'/>", "target/encryption"],
    ["another format", "<format type='vmdk'/>", "target/format"],
    ["an old qcow2", "<format type='qcow2'/><compat>0.10</compat>", "target/compat"],
    ["other clusters", "<clusterSize unit='KiB'>4</clusterSize>", "target/clusterSize"],
    ["no copying on write", "<nocow/>", "target/nocow"],
    ["another path", "<path>/etc/new.img</path>", "target/path"],
  ])("refuses %s with the place, and makes nothing", async (_, target, place) => {
    const machine = makeMachine();
    const error = await errorOf(make(machine, volumeOf(target)));
    expect([error.exitCode, error.message]).toEqual([2, expect.stringContaining(`: /volume/${place}: `)]);
    expect(nodeOn(machine).host.inspectFile(`${FOLDER}/new.img`)).toBeUndefined();
  });

  test("leaves nothing where the policy does not know the label", async () => {
    const machine = makeMachine();
    const options = "<permissions><label>system_u:object_r:unknown_t:s0</label></permissions>";
    expect((await errorOf(make(machine, volumeOf(options)))).exitCode).toBe(5);
    expect(nodeOn(machine).host.inspectFile(`${FOLDER}/new.img`)).toBeUndefined();
  });

  test("leaves what is there already as it is", async () => {
    const machine = makeMachine();
    await make(machine, volumeOf(`<permissions><label>${LABEL}</label></permissions>`));
    expect((await errorOf(make(machine, volumeOf("")))).message).toContain("new.img");
    expect(labelOf(machine, `${FOLDER}/new.img`)).toBe(LABEL);
  });

  test.each(["/etc", "/usr/share"])("makes nothing in %s", async (folder) => {
    const error = await errorOf(createVolume(nodeOn(makeMachine()), folder, volumeOf("")));
    expect([3, 5]).toContain(error.exitCode);
  });

  test.each(["../new.img", "a/b", "..", "."])("takes no name like %s", async (name) => {
    const volume = { ...volumeOf(""), name };
    expect((await errorOf(make(makeMachine(), volume))).exitCode).toBe(2);
  });
});
