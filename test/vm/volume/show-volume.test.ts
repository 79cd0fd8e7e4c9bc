import { describe, expect, test } from "bun:test";
import { lstatSync, writeFileSync } from "node:fs";
import { formatVolume } from "../../../src/storage/volume/document.ts";
import { cloneVolume, createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolumeFrom } from "../../../src/vm/volume/create-volume.ts";
import { showVolume } from "../../../src/vm/volume/show-volume.ts";
import { type HeaderOptions, qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { RealFolder } from "../../real-host/folder.ts";
import { givenNode } from "../../real-host/given-node.ts";
import { nodeOn } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

const EXTENDED_L2 = 1n << 4n;
/** Last byte of compatible_features. qemu.git docs/interop/qcow2.rst */
const COMPATIBLE_AT = 87;

/** A machine with the volume q.qcow2. */
function machineWith(options: HeaderOptions, isLazy = false) {
  const machine = makePoolMachine();
  const bytes = qcow2Bytes(options);
  if (isLazy) bytes[COMPATIBLE_AT] = 1;
  machine.files.put(`${IMAGES}/q.qcow2`, "file", { mode: 0o600, bytes });
  return machine;
}

/** Returns the XML between the times and the end of the target. */
function propertiesOf(options: HeaderOptions, isLazy = false): string {
  const xml = formatVolume(showVolume(nodeOn(machineWith(options, isLazy)), `${IMAGES}/q.qcow2`));
  return xml.replace(/^[\s\S]*<\/timestamps>\s*/, "").replace(/\s*<\/target>[\s\S]*$/, "");
}

describe("the properties of a qcow2 volume are printed as libvirt 11.3 prints them", () => {
  test("of version 3", () => {
    expect(propertiesOf({})).toBe(
      "<compat>1.1</compat>\n    <clusterSize unit='B'>65536</clusterSize>\n    <features/>",
    );
  });

  test("of version 3 with features", () => {
    expect(propertiesOf({ clusterBits: 17, features: EXTENDED_L2 }, true)).toBe(
      "<compat>1.1</compat>\n    <clusterSize unit='B'>131072</clusterSize>\n" +
        "    <features>\n      <lazy_refcounts/>\n      <extended_l2/>\n    </features>",
    );
  });

  test("of version 2, without its version and features", () => {
    expect(propertiesOf({ version: 2 })).toBe("<clusterSize unit='B'>65536</clusterSize>");
  });
});

describe("XML of an existing volume", () => {
  const bytesFor = (machine: ReturnType<typeof machineWith>, name: string) => {
    const volume = showVolume(nodeOn(machine), `${IMAGES}/q.qcow2`);
    const { label: _, ...permissions } = volume.target.permissions ?? {};
    const { path: __, ...target } = volume.target;
    return new TextEncoder().encode(formatVolume({ ...volume, name, target: { ...target, permissions } }));
  };
  const kinds: readonly (readonly [string, HeaderOptions, boolean])[] = [
    ["version 3", {}, false],
    ["version 3 with features", { clusterBits: 17, features: EXTENDED_L2 }, true],
    ["version 2", { version: 2 }, false],
  ];

  test.each(kinds)("is that of a new volume too, for %s", async (_, options, isLazy) => {
    const machine = machineWith(options, isLazy);
    const flags = {};
    await createVolumeFrom(nodeOn(machine), "images", { bytes: bytesFor(machine, "new"), flags });
    const { target } = showVolume(nodeOn(machine), `${IMAGES}/new`);
    const { clusterBytes, features = { extendedL2: false, lazyRefcounts: false } } = target;
    expect([clusterBytes, features]).toEqual([
      2 ** (options.clusterBits ?? 16),
      { extendedL2: isLazy, lazyRefcounts: isLazy },
    ]);
  });

  test.each(kinds)("is that of a copy too, for %s", async (_, options, isLazy) => {
    const machine = machineWith(options, isLazy);
    const source = { key: "q.qcow2", pool: "images" };
    const flags = { isReflink: false };
    await createVolumeFromVolume(nodeOn(machine), "images", {
      bytes: bytesFor(machine, "new"),
      source,
      flags,
    });
    await cloneVolume(nodeOn(machine), "clone", { source, flags });
    for (const name of ["new", "clone"])
      expect(machine.files.get(`${IMAGES}/${name}`).bytes).toEqual(qcow2With(options, isLazy));
  });
});

function qcow2With(options: HeaderOptions, isLazy: boolean): Uint8Array {
  return machineWith(options, isLazy).files.get(`${IMAGES}/q.qcow2`).bytes;
}

test("the times of a volume are those of its file", () => {
  using folder = new RealFolder();
  const path = `${folder.path}/a.raw`;
  writeFileSync(path, "data");
  const { atimeNs, ctimeNs, mtimeNs } = lstatSync(path, { bigint: true });
  const text = (instantNs: bigint) =>
    `${instantNs / 1_000_000_000n}${instantNs % 1_000_000_000n === 0n ? "" : `.${String(instantNs % 1_000_000_000n).padStart(9, "0")}`}`;
  expect(showVolume(givenNode(folder.path, "s0"), path).target.timestamps).toEqual({
    atime: text(atimeNs),
    mtime: text(mtimeNs),
    ctime: text(ctimeNs),
    btime: "0",
  });
});
