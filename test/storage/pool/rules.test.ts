import { describe, expect, test } from "bun:test";
import { errorsOf } from "../../../src/errors.ts";
import { formatPoolCapabilities } from "../../../src/storage/pool/capabilities.ts";
import { completePool } from "../../../src/storage/pool/complete.ts";
import { parsePool } from "../../../src/storage/pool/document.ts";
import { POOL_TYPES } from "../../../src/storage/pool/pool-types.ts";
import { hasSameSource, hasTargetWithin } from "../../../src/storage/pool/rules/source-conflict.ts";
import { isStartable, supportedPool } from "../../../src/storage/pool/rules/startable.ts";
import { OTHER_POOLS, otherPoolXml, poolXml } from "../../scenes/pools.ts";

const UUID = "3e3fce45-4f53-4fa7-bb32-11f34168b82b";
const read = (type: keyof typeof OTHER_POOLS, change = (text: string): string => text) =>
  parsePool(otherPoolXml(type, change(OTHER_POOLS[type])));

describe("completePool()", () => {
  test("adds a UUID to a pool without one", () => {
    expect(completePool(parsePool(poolXml()), UUID).uuid).toBe(UUID);
    const own = "dddddddd-0000-4000-8000-000000000001";
    expect(completePool(parsePool(poolXml("/a", { uuid: own })), UUID).uuid).toBe(own);
  });

  test.each([
    ["logical", "<source><name>../sda</name></source>"],
    ["logical", "<source><name>..</name></source>"],
    ["zfs", "<source><name>a/./b</name></source>"],
    ["dir", "<target><path>/</path></target>"],
    ["dir", "<target><path>//a</path></target>"],
  ])("refuses the indirect target of type %s with %p", (type, content) => {
    const pool = parsePool(otherPoolXml(type, content));
    expect(errorsOf(() => completePool(pool, UUID)).map(({ place }) => place)).toEqual(["/pool/target/path"]);
  });
});

describe("supportedPool()", () => {
  test("is decided for each type: folders, file systems, volume groups and the devices that sysfs lists start", () => {
    expect(POOL_TYPES.filter(isStartable).join(" ")).toBe("dir fs netfs logical disk iscsi scsi mpath");
  });

  test.each([
    ["netfs", "<format type='cifs'/>", "/pool/source/format/@type"],
    ["netfs", "<format type='glusterfs'/>", "/pool/source/format/@type"],
    ["netfs", "<host name='b'/>", "/pool/source/host[2]"],
    ["fs", "<device path='/dev/vdc'/>", "/pool/source/device[2]"],
  ] as const)("refuses a pool of type %s with %s", (type, more, place) => {
    const pool = read(type, (text) => text.replace("</source>", `${more}</source>`));
    expect(errorsOf(() => supportedPool(pool, "start")).map((error) => [error.kind, error.place])).toEqual([
      ["unsupported", place],
    ]);
  });

  test.each((Object.keys(OTHER_POOLS) as (keyof typeof OTHER_POOLS)[]).filter((type) => !isStartable(type)))(
    "refuses %s with one instruction",
    (type) => {
      const [error, ...more] = errorsOf(() => supportedPool(read(type), "start"));
      expect([more, error?.kind, error?.message]).toEqual([
        [],
        "unsupported",
        expect.stringContaining(`type ${type}`),
      ]);
      expect(error?.remedy).toMatch(/^(?:Leave|Log|Mount) /);
    },
  );
});

// virStoragePoolObjSourceFindDuplicate() of libvirt
describe("hasSameSource()", () => {
  const fs = read("fs");
  test.each([
    ["a device in pools of different types", fs, read("logical"), true],
    [
      "a volume group by another device",
      read("logical"),
      read("logical", (text) => text.replace("vdb", "vdc")),
      true,
    ],
    ["another device", fs, read("logical", (text) => text.replace("vdb", "vdc")), false],
    ["an iSCSI target of one initiator", read("iscsi"), read("iscsi"), true],
    // A login without a name uses all interfaces, also that of the other pool. libvirt takes the two for
    // different.
    [
      "an iSCSI target of another initiator and of none",
      read("iscsi"),
      read("iscsi", (text) => text.replace("</source>", "<initiator><iqn name='b'/></initiator></source>")),
      true,
    ],
    [
      "an iSCSI target of two initiators",
      read("iscsi", (text) => text.replace("</source>", "<initiator><iqn name='a'/></initiator></source>")),
      read("iscsi", (text) => text.replace("</source>", "<initiator><iqn name='b'/></initiator></source>")),
      false,
    ],
    ["a server of another name", read("netfs"), read("netfs", (text) => text.replace("'a'", "'b'")), false],
    ["a Gluster volume", read("gluster"), read("gluster"), true],
    [
      "another Gluster volume",
      read("gluster"),
      read("gluster", (text) => text.replace("vol", "vol2")),
      false,
    ],
    ["a Virtuozzo cluster", read("vstorage"), read("vstorage"), true],
    ["a Ceph pool, which libvirt does not compare", read("rbd"), read("rbd"), false],
    [
      "an adapter with the other name of its host",
      read("scsi"),
      read("scsi", (text) => text.replace("host0", "scsi_host0")),
      true,
    ],
    [
      "an adapter of another name",
      read("scsi"),
      read("scsi", (text) => text.replace("host0", "host1")),
      false,
    ],
    ["pools of different types", read("mpath"), read("sheepdog"), false],
  ])("of %s", (...[, one, other, is]) => {
    expect([hasSameSource(one, other), hasSameSource(other, one)]).toEqual([is, is]);
  });
});

describe("hasTargetWithin()", () => {
  test.each([
    ["/srv/a", "/srv/a", true],
    ["/srv/a", "/srv/a/b", true],
    ["/srv/a", "/srv/ab", false],
  ])("of %s and %s is %p", (mine, theirs, is) => {
    const [one, other] = [parsePool(poolXml(mine)), parsePool(poolXml(theirs))];
    expect([hasTargetWithin(one, other), hasTargetWithin(other, one)]).toEqual([is, is]);
  });

  test("is of folders with files only: pools of devices share one", () => {
    expect(hasTargetWithin(read("iscsi"), read("scsi"))).toBe(false);
    expect(hasTargetWithin(parsePool(poolXml("/srv")), read("fs"))).toBe(true);
  });
});

describe("formatPoolCapabilities()", () => {
  const testData = process.env["SVIRT_TEST_DATA"];
  const lacks = testData === undefined ? "SVIRT_TEST_DATA is not set" : "xmllint is not installed";
  const isSkipped = testData === undefined || Bun.which("xmllint") === null;

  test.skipIf(isSkipped)(`follows libvirt's schema${isSkipped ? ` (skipped: ${lacks})` : ""}`, async () => {
    const schema = `${testData}/libvirt/schemas/storagepoolcaps.rng`;
    const run = Bun.spawn(["xmllint", "--noout", "--relaxng", schema, "-"], {
      stdin: new TextEncoder().encode(formatPoolCapabilities()),
      stderr: "ignore",
    });
    expect(await run.exited).toBe(0);
  });

  // Layout of virStoragePoolCapsFormat() of libvirt, as in its
  // tests/storagepoolcapsschemadata/poolcaps-full.xml.
  test("has the types in libvirt's order, each with its formats, and is paired without them", () => {
    const text = formatPoolCapabilities();
    expect([...text.matchAll(/<pool type='([^']*)'/g)].map(([, type]) => type)).toEqual([...POOL_TYPES]);
    expect(text).toStartWith(
      "<storagepoolCapabilities>\n  <pool type='dir' supported='yes'>\n    <volOptions>\n" +
        "      <defaultFormat type='raw'/>\n      <enum name='targetFormatType'>\n        <value>none</value>\n",
    );
    expect(text).toContain("  <pool type='sheepdog' supported='no'>\n  </pool>\n");
    expect(text).toContain("      <enum name='targetFormatType'>\n      </enum>\n");
    expect([...text.matchAll(/supported='yes'/g)].length).toBe(POOL_TYPES.filter(isStartable).length);
  });
});
