import { describe, expect, test } from "bun:test";
import { parseVolume, type Volume } from "../../../src/storage/volume/document.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { createVolume } from "../../../src/vm/volume/create-volume.ts";
import { showVolume } from "../../../src/vm/volume/show-volume.ts";
import { bytesOf } from "../../domain/corpus.ts";
import { vmdkBytes, vpcBytes } from "../../images/foreign-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, labelOf, makeMachine, nodeOn, putText } from "../../scenes/scene.ts";

const FOLDER = "/var/lib/images";
const MIB = 1024 * 1024;
const LABEL = "system_u:object_r:virt_content_t:s0";

function volumeOf(target: string, around = ""): Volume {
  const xml = `<volume><name>new.img</name><capacity unit='MiB'>4</capacity>${around}<target>${target}</target></volume>`;
  return parseVolume(bytesOf(xml));
}

function make(machine: Machine, volume: Volume): Promise<string> {
  return createVolume(nodeOn(machine), FOLDER, { volume });
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

  test.each(["vmdk", "vpc"])("refuses an image of %s by its name, and makes none", async (format) => {
    const machine = makeMachine();
    const made = make(machine, volumeOf(`<format type='${format}'/>`));
    await expect(made).rejects.toThrow(
      `/volume/target/format: svirt creates raw and qcow2 images, not ${format}`,
    );
    expect(machine.files.find(`${FOLDER}/new.img`)).toBeUndefined();
  });

  test.each([
    ["vmdk", vmdkBytes(4 * MIB)],
    ["vpc", vpcBytes(4 * MIB)],
  ])("shows the size of an image of %s that another program made", (format, bytes) => {
    const machine = makeMachine();
    machine.files.put(`${FOLDER}/new.img`, "file", { bytes });
    const shown = showVolume(nodeOn(machine), `${FOLDER}/new.img`);
    expect(shown).toMatchObject({ capacityBytes: 4 * MIB, target: { format: { type: format } } });
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
    ["encryption without a secret", "<encryption format='luks'/>", "target/encryption/secret"],
    ["another format", "<format type='vdi'/>", "target/format"],
    ["no copying on write", "<nocow/>", "target/nocow"],
    ["another path", "<path>/etc/new.img</path>", "target/path"],
  ])("refuses %s with the place, and makes nothing", async (_, target, place) => {
    const machine = makeMachine();
    const error = await errorOf(make(machine, volumeOf(target)));
    expect([error.exitCode, error.message]).toEqual([2, expect.stringContaining(`: /volume/${place}: `)]);
    expect(nodeOn(machine).host.inspectFile(`${FOLDER}/new.img`)).toBeUndefined();
  });

  test.each([
    ["the policy does not know", "system_u:object_r:unknown_t:s0"],
    ["one guest has", "system_u:object_r:svirt_image_t:s0:c1,c2"],
    ["each guest may write", "system_u:object_r:svirt_image_t:s0"],
    ["a process has", "system_u:system_r:svirt_t:s0"],
  ])("makes nothing with a label that %s", async (_, label) => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const options = `<permissions><label>${label}</label></permissions>`;
    expect((await errorOf(make(machine, volumeOf(options)))).exitCode).toBe(5);
    expect(snapshot(machine)).toEqual(before);
  });

  test("gives no label to a user's volume", async () => {
    const machine = makeMachine();
    machine.uid = 1000;
    machine.files.putFolder("/run/user/1000").uid = 1000;
    const options = `<permissions><label>${LABEL}</label></permissions>`;
    expect((await errorOf(make(machine, volumeOf(options)))).message).toContain("only root");
  });

  test("gives a volume the label that the policy's file_contexts have for its path", async () => {
    const machine = makeMachine();
    putText(
      machine,
      "/etc/selinux/svirt/contexts/files/file_contexts",
      `${FOLDER}(/.*)?\tsystem_u:object_r:virt_image_t:s0\n`,
    );
    await make(machine, volumeOf(""));
    expect(labelOf(machine, `${FOLDER}/new.img`)).toBe("system_u:object_r:virt_image_t:s0");
  });

  test.each([
    ["the policy has no file_contexts", undefined],
    ["theirs is not for guests' files", `${FOLDER}(/.*)?\tsystem_u:object_r:bin_t:s0\n`],
    ["they have none for its path", "/srv(/.*)?\tsystem_u:object_r:virt_image_t:s0\n"],
  ])("keeps the label of a new file in that folder if %s", async (_, rules) => {
    const machine = makeMachine();
    if (rules !== undefined) putText(machine, "/etc/selinux/svirt/contexts/files/file_contexts", rules);
    await make(machine, volumeOf(""));
    expect(labelOf(machine, `${FOLDER}/new.img`)).toBe("system_u:object_r:xen_image_t:s0");
  });

  test("a definition taken from a running guest's disk does not carry its label on", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${FOLDER}/private1.raw`, "vda") }));
    const shown = showVolume(nodeOn(machine), `${FOLDER}/private1.raw`);
    expect(shown.target.permissions?.label).toContain(":svirt_image_t:s0:c");
    const { path: _, ...target } = shown.target;
    const error = await errorOf(make(machine, { ...shown, name: "copy.raw", target }));
    expect([error.kind, error.message]).toEqual([
      "denied",
      expect.stringContaining("it is the label of one guest's files"),
    ]);
    const unlabelled = { ...target, permissions: { mode: 0o600 } };
    await make(machine, { ...shown, name: "copy.raw", target: unlabelled });
    expect(labelOf(machine, `${FOLDER}/copy.raw`)).not.toContain("svirt_image_t");
  });

  test("gives the owner, the group and the mode of its XML", async () => {
    const machine = makeMachine();
    await make(
      machine,
      volumeOf("<permissions><mode>0640</mode><owner>107</owner><group>36</group></permissions>"),
    );
    expect(showVolume(nodeOn(machine), `${FOLDER}/new.img`).target.permissions).toMatchObject({
      mode: 0o640,
      owner: 107,
      group: 36,
    });
  });

  test("refuses a backing file that is not there", async () => {
    const machine = makeMachine();
    const below = "<backingStore><path>/var/lib/images/none</path></backingStore>";
    const error = await errorOf(make(machine, volumeOf("<format type='qcow2'/>", below)));
    expect([error.kind, error.message]).toEqual([
      "not-found",
      expect.stringContaining("/var/lib/images/none"),
    ]);
  });

  test("leaves what is there already as it is", async () => {
    const machine = makeMachine();
    await make(machine, volumeOf(`<permissions><label>${LABEL}</label></permissions>`));
    const { libvirt, message } = await errorOf(make(machine, volumeOf("")));
    expect([message, libvirt.name]).toEqual([
      "storage volume 'new.img' exists already",
      "VIR_ERR_STORAGE_VOL_EXIST",
    ]);
    expect(labelOf(machine, `${FOLDER}/new.img`)).toBe(LABEL);
  });

  test.each(["/etc", "/usr/share"])("makes nothing in %s", async (folder) => {
    const error = await errorOf(createVolume(nodeOn(makeMachine()), folder, { volume: volumeOf("") }));
    expect([3, 5]).toContain(error.exitCode);
  });

  test.each(["../new.img", "a/b", "..", ".", ".svirt-x", "a\u0007"])(
    "takes no name like %s",
    async (name) => {
      const volume = { ...volumeOf(""), name };
      expect((await errorOf(make(makeMachine(), volume))).exitCode).toBe(name.includes("/") ? 4 : 2);
    },
  );
});
