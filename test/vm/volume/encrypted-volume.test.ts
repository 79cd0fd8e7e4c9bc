import { describe, expect, test } from "bun:test";
import { parseLuksHeader } from "../../../src/images/luks-header.ts";
import { defineSecret } from "../../../src/vm/secret/define-secret.ts";
import { setSecretValue } from "../../../src/vm/secret/secret-value.ts";
import { cloneVolume, createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolumeFrom } from "../../../src/vm/volume/create-volume.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { showVolume } from "../../../src/vm/volume/show-volume.ts";
import { getVolumeXml } from "../../../src/vm/volume/volume-xml.ts";
import { bytesOf } from "../../domain/corpus.ts";
import { luksBytes } from "../../images/luks-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { testInTurn } from "../../sample.ts";
import { errorOf, nodeOn } from "../../scenes/scene.ts";
import { SECRET_UUID, secretValue } from "../../scenes/secrets.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

const inTurn = testInTurn(4);

const MIB = 1024 * 1024;
/** Of a header with keys for AES-256, as qemu-img shows it: "payload offset". */
const PAYLOAD_BYTES = 2_068_480;
const PASSPHRASE = "geheim und lang";
const ENCRYPTION = `<encryption format='luks'><secret type='passphrase' uuid='${SECRET_UUID}'/></encryption>`;
const PLAIN = { isReflink: false };

function volumeXml(target = ENCRYPTION, name = "vm1.luks"): Uint8Array {
  return bytesOf(
    `<volume><name>${name}</name><capacity unit='MiB'>4</capacity><allocation>0</allocation><target>${target}</target></volume>`,
  );
}

async function machineWithSecret(
  value: string | Uint8Array = PASSPHRASE,
  usage = "volume",
): Promise<Machine> {
  const machine = makePoolMachine();
  const kind = usage === "volume" ? `<volume>${IMAGES}/vm1.luks</volume>` : "<target>san</target>";
  const xml = `<secret private='yes'><uuid>${SECRET_UUID}</uuid><usage type='${usage}'>${kind}</usage></secret>`;
  await defineSecret(nodeOn(machine), bytesOf(xml));
  const bytes = typeof value === "string" ? secretValue(value) : value;
  if (bytes.length > 0) await setSecretValue(nodeOn(machine), SECRET_UUID, bytes);
  return machine;
}

const create = (machine: Machine, bytes = volumeXml()) =>
  createVolumeFrom(nodeOn(machine), "images", { bytes, flags: {} });

const bytesAt = (machine: Machine, name: string): Uint8Array => machine.files.get(`${IMAGES}/${name}`).bytes;

describe("an encrypted volume", () => {
  test("is shown as the XML that makes it, with its own secret and the guest's capacity", async () => {
    const machine = await machineWithSecret();
    await create(machine);
    expect(bytesAt(machine, "vm1.luks")).toHaveLength(PAYLOAD_BYTES + 4 * MIB);
    expect(showVolume(nodeOn(machine), `${IMAGES}/vm1.luks`)).toMatchObject({
      capacityBytes: 4 * MIB,
      physicalBytes: PAYLOAD_BYTES + 4 * MIB,
      target: {
        format: { type: "raw" },
        encryption: { format: "luks", secrets: [{ type: "passphrase", uuid: SECRET_UUID }] },
      },
    });
    expect(await getVolumeXml(nodeOn(machine), "vm1.luks", "images")).toContain("<encryption format='luks'>");
  });

  test("of qcow2 is encrypted too, and names a secret only if that is for its path", async () => {
    const machine = await machineWithSecret();
    await create(machine, volumeXml(`<format type='qcow2'/>${ENCRYPTION}`, "vm1.qcow2"));
    expect(showVolume(nodeOn(machine), `${IMAGES}/vm1.qcow2`)).toMatchObject({
      capacityBytes: 4 * MIB,
      target: { format: { type: "qcow2" }, encryption: { format: "luks", secrets: [] } },
    });
  });

  inTurn("keeps its passphrase from its file", async () => {
    const machine = await machineWithSecret();
    await create(machine);
    expect(new TextDecoder("latin1").decode(bytesAt(machine, "vm1.luks"))).not.toContain(PASSPHRASE);
  });

  inTurn("grows behind its header, which stays", async () => {
    const machine = await machineWithSecret();
    await create(machine);
    const header = bytesAt(machine, "vm1.luks").slice(0, PAYLOAD_BYTES);
    const size = { capacityBytes: 6 * MIB, isDelta: false, isShrunk: false, isAllocated: false };
    await resizeVolume(nodeOn(machine), { key: "vm1.luks", pool: "images" }, size);
    const bytes = bytesAt(machine, "vm1.luks");
    expect(bytes.slice(0, PAYLOAD_BYTES)).toEqual(header);
    expect(parseLuksHeader(bytes.slice(0, 1024), bytes.length).virtualSizeBytes).toBe(6 * MIB);
  });

  test("is not resized if its header, which a guest may have written, is longer than any program's", async () => {
    const resize = (payload: number) => {
      const machine = makePoolMachine();
      const bytes = new Uint8Array(8 * MIB);
      bytes.set(luksBytes({ payload: payload / 512 }));
      machine.files.put(`${IMAGES}/forged.raw`, "file", { bytes });
      const size = { capacityBytes: 9 * MIB, isDelta: false, isShrunk: false, isAllocated: false };
      const before = snapshot(machine);
      const resized = resizeVolume(nodeOn(machine), { key: "forged.raw", pool: "images" }, size);
      return { machine, before, resized };
    };
    for (const payload of [8 * MIB, 4 * MIB + 512]) {
      const { before, machine, resized } = resize(payload);
      const { kind, message } = await errorOf(resized);
      expect([kind, message]).toEqual(["unsupported", expect.stringContaining(`begin at byte ${payload}`)]);
      expect(snapshot(machine)).toEqual(before);
    }
    const { machine, resized } = resize(4 * MIB);
    await resized;
    expect(bytesAt(machine, "forged.raw")).toHaveLength(13 * MIB);
  });

  inTurn("is cloned with all its bytes, by its name and by its XML", async () => {
    const machine = await machineWithSecret();
    await create(machine);
    const source = { key: "vm1.luks", pool: "images" };
    await cloneVolume(nodeOn(machine), "one", { source, flags: PLAIN });
    const xml = await getVolumeXml(nodeOn(machine), "vm1.luks", "images");
    const bytes = bytesOf(xml.replace("<name>vm1.luks", "<name>two"));
    await createVolumeFromVolume(nodeOn(machine), "images", { bytes, source, flags: PLAIN });
    for (const name of ["one", "two"]) expect(bytesAt(machine, name)).toEqual(bytesAt(machine, "vm1.luks"));
  });

  inTurn("is not cloned with another secret, nor made of a volume that is not encrypted", async () => {
    const machine = await machineWithSecret();
    await create(machine);
    await create(machine, volumeXml("", "plain"));
    const before = snapshot(machine);
    const xml = (await getVolumeXml(nodeOn(machine), "vm1.luks", "images")).replace(
      "<name>vm1.luks",
      "<name>two",
    );
    const other = bytesOf(xml.replace(SECRET_UUID, "55806c7d-8e93-456f-829b-607d8c198368"));
    const from = (key: string, bytes: Uint8Array) =>
      errorOf(
        createVolumeFromVolume(nodeOn(machine), "images", {
          bytes,
          source: { key, pool: "images" },
          flags: PLAIN,
        }),
      );
    expect((await from("vm1.luks", other)).message).toContain("does not encrypt the data of another volume");
    expect((await from("plain", volumeXml(ENCRYPTION, "two"))).message).toContain(
      "does not encrypt the data",
    );
    // Its data would not be encrypted.
    expect((await from("vm1.luks", volumeXml("", "two"))).message).toContain("the source is luks");
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("the copy of an encrypted volume", () => {
  const source = (key: string) => ({ key, pool: "images" });
  const copyOf = async (machine: Machine, key: string, change: (xml: string) => string) => {
    const xml = change(
      (await getVolumeXml(nodeOn(machine), key, "images")).replace(`<name>${key}`, "<name>two"),
    );
    return await createVolumeFromVolume(nodeOn(machine), "images", {
      bytes: bytesOf(xml),
      source: source(key),
      flags: PLAIN,
    });
  };
  const capacity = (xml: string) =>
    xml.replace(/<capacity[^<]*<[/]capacity>/, "<capacity unit='MiB'>6</capacity>");
  const plain = (xml: string) => xml.replace(/ *<encryption(?:[^>]*[/]>|.*<[/]encryption>)\n/s, "");

  inTurn("has the larger capacity that is requested, behind its header", async () => {
    const machine = await machineWithSecret();
    await create(machine);
    await copyOf(machine, "vm1.luks", capacity);
    expect(bytesAt(machine, "two")).toHaveLength(PAYLOAD_BYTES + 6 * MIB);
    expect(bytesAt(machine, "two").slice(0, PAYLOAD_BYTES)).toEqual(
      bytesAt(machine, "vm1.luks").slice(0, PAYLOAD_BYTES),
    );
  });

  inTurn(
    "is not another image than its source, nor one that is not encrypted, and nothing is changed",
    async () => {
      const machine = await machineWithSecret();
      await create(machine);
      await create(machine, volumeXml(`<format type='qcow2'/>${ENCRYPTION}`, "vm1.qcow2"));
      const before = snapshot(machine);
      const toQcow2 = (xml: string) => xml.replace("<format type='raw'", "<format type='qcow2'");
      const elsewhere = (xml: string) => plain(xml).replace(/ *<path>.*<[/]path>\n/, "");
      for (const [key, change] of [
        ["vm1.luks", toQcow2],
        ["vm1.luks", plain],
        ["vm1.qcow2", elsewhere],
        ["vm1.qcow2", plain],
        ["vm1.qcow2", capacity],
      ] as const) {
        const { kind, message } = await errorOf(copyOf(machine, key, change));
        const why = key === "vm1.luks" && change === plain ? "the source is luks" : "the source is encrypted";
        expect([kind, message]).toEqual(["unsupported", expect.stringContaining(why)]);
      }
      expect(snapshot(machine)).toEqual(before);
    },
  );

  inTurn("of qcow2 has all its bytes", async () => {
    const machine = await machineWithSecret();
    await create(machine, volumeXml(`<format type='qcow2'/>${ENCRYPTION}`, "vm1.qcow2"));
    await copyOf(machine, "vm1.qcow2", (xml) => xml);
    expect(bytesAt(machine, "two")).toEqual(bytesAt(machine, "vm1.qcow2"));
  });

  inTurn("of a version that svirt does not read has its size, and no larger one", async () => {
    const machine = makePoolMachine();
    const bytes = new Uint8Array(3 * MIB);
    bytes.set(luksBytes({ version: 2 }));
    machine.files.put(`${IMAGES}/new.luks`, "file", { bytes });
    const raw = (xml: string) => xml.replace("<format type='luks'", "<format type='raw'");
    const larger = copyOf(machine, "new.luks", (xml) => capacity(raw(xml)));
    expect((await errorOf(larger)).message).toContain("cannot read the header");
    await copyOf(machine, "new.luks", raw);
    expect(bytesAt(machine, "two")).toEqual(bytes);
  });
});

inTurn(
  "a volume above an encrypted one has the capacity that is requested, and is not made of a guess",
  async () => {
    const machine = await machineWithSecret();
    await create(machine);
    await create(machine, volumeXml(`<format type='qcow2'/>${ENCRYPTION}`, "vm1.qcow2"));
    const above = (key: string, format: string, capacity: string) =>
      create(
        machine,
        bytesOf(
          `<volume><name>top</name>${capacity}<target><format type='qcow2'/></target><backingStore><path>${IMAGES}/${key}</path><format type='${format}'/></backingStore></volume>`,
        ),
      );
    const before = snapshot(machine);
    const unsized = await errorOf(above("vm1.luks", "raw", ""));
    expect([unsized.kind, unsized.remedy]).toEqual([
      "unsupported",
      expect.stringContaining("Write <capacity>"),
    ]);
    const sized = "<capacity unit='MiB'>4</capacity>";
    const inside = await errorOf(above("vm1.qcow2", "qcow2", sized));
    expect([inside.kind, inside.remedy]).toEqual(["unsupported", expect.not.stringContaining("<encryption")]);
    expect(snapshot(machine)).toEqual(before);
    await above("vm1.luks", "raw", sized);
    expect(showVolume(nodeOn(machine), `${IMAGES}/top`)).toMatchObject({ capacityBytes: 4 * MIB });
  },
);

describe("an encrypted volume is not made, and nothing is changed,", () => {
  test.each([
    ["without the value of its secret", "", "does not have a value"],
    ["with a value that is not UTF-8", new Uint8Array([0xff, 0xfe]), "is not a text in UTF-8"],
    [
      "with a NUL in the value, where QEMU's text would end",
      new Uint8Array([65, 0, 66]),
      "is not a text in UTF-8",
    ],
  ])("%s", async (_, value, why) => {
    const machine = await machineWithSecret(value);
    const before = snapshot(machine);
    expect((await errorOf(create(machine))).message).toContain(why);
    expect(snapshot(machine)).toEqual(before);
  });

  test("with a secret of another use, an unknown secret, or the name of another volume", async () => {
    const machine = await machineWithSecret(PASSPHRASE, "iscsi");
    await create(machine, volumeXml("", "plain"));
    const before = snapshot(machine);
    expect((await errorOf(create(machine))).message).toContain(
      "is of type 'iscsi' not expected 'volume' type",
    );
    const unknown = volumeXml(ENCRYPTION.replace(/uuid='[^']*'/, "usage='/luks'"));
    expect((await errorOf(create(machine, unknown))).message).toContain(
      "no secret with matching usage '/luks'",
    );
    expect((await errorOf(create(machine, volumeXml(ENCRYPTION, "plain")))).message).toContain(
      "exists already",
    );
    expect(snapshot(machine)).toEqual(before);
  });

  test("by a restricted key with a private secret that is not for volumes: it could guess the value", async () => {
    const machine = await machineWithSecret();
    const other = "55806c7d-8e93-456f-829b-607d8c198368";
    await defineSecret(nodeOn(machine), bytesOf(`<secret private='yes'><uuid>${other}</uuid></secret>`));
    await setSecretValue(nodeOn(machine), other, secretValue(PASSPHRASE));
    const forKey = { ...nodeOn(machine), isForKey: true } as const;
    const by = (bytes: Uint8Array) => createVolumeFrom(forKey, "images", { bytes, flags: {} });
    const before = snapshot(machine);
    const error = await errorOf(by(volumeXml(ENCRYPTION.replace(SECRET_UUID, other))));
    expect([error.kind, error.message]).toEqual(["denied", `Invalid secret: secret ${other} is private`]);
    expect(snapshot(machine)).toEqual(before);
    await by(volumeXml());
    expect(showVolume(nodeOn(machine), `${IMAGES}/vm1.luks`)).toMatchObject({ capacityBytes: 4 * MIB });
  });
});
