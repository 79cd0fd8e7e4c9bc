import { describe, expect, test } from "bun:test";
import {
  parseMappedVolume,
  problemOfLogicalName,
  volumeGroupOf,
} from "../../../../src/storage/pool/logical/group.ts";
import {
  parsePhysicalVolumes,
  parseSpace,
  parseVolumes,
} from "../../../../src/storage/pool/logical/reports.ts";

/** Output of lvm2 2.03.31 for a group on two loop devices. */
const LVS = `  {
      "report": [
          {
              "lv": [
                  {"lv_name":"one", "origin":"", "lv_uuid":"3IR1yh-mW06-Mg6E-pNCV-FytJ-4WBe-KVhUvC", "devices":"/dev/loop0(0)", "segtype":"linear", "stripes":"1", "seg_size":"4194304", "vg_extent_size":"4194304", "lv_size":"4194304", "lv_attr":"-wi-XX----"},
                  {"lv_name":"two", "origin":"", "lv_uuid":"5Sd4gR-69Ih-AItm-JFdm-Mmtz-vYtU-81NeIu", "devices":"/dev/loop0(1),/dev/loop1(0)", "segtype":"striped", "stripes":"2", "seg_size":"8388608", "vg_extent_size":"4194304", "lv_size":"8388608", "lv_attr":"-wi-XX----"}
              ]
          }
      ]
      ,
      "log": [
      ]
  }
`;

/** Returns a report with rows of libvirt's examples. virStorageBackendLogicalFindLVs() */
function rowsOf(...lines: readonly string[]): string {
  const names = [
    ...["lv_name", "origin", "lv_uuid", "devices", "segtype", "stripes", "seg_size", "vg_extent_size"],
    ...["lv_size", "lv_attr"],
  ];
  const lv = lines.map((line) => Object.fromEntries(line.split("#").map((word, at) => [names[at], word])));
  return JSON.stringify({ report: [{ lv }] });
}

describe("the report of lvs", () => {
  test("is read with a thin volume whose size has 16 digits or more", () => {
    // The largest device of Linux has 2^63 - 512 bytes. Of a number from 2^53 on the last digits are lost.
    const [volume] = parseVolumes(
      rowsOf("big##uuid##thin#0#9223372036854771712#4194304#9223372036854771712#Vwi-a-tz--"),
    );
    expect([volume?.name, volume?.isThin, volume?.sizeBytes]).toEqual([
      "big",
      true,
      Number("9223372036854771712"),
    ]);
  });

  test("has each volume with its parts on the devices", () => {
    const MiB = 1024 * 1024;
    expect(parseVolumes(LVS)).toEqual([
      {
        name: "one",
        origin: undefined,
        isThin: false,
        isSparse: false,
        sizeBytes: 4 * MiB,
        extents: [{ path: "/dev/loop0", start: 0, end: 4 * MiB }],
      },
      {
        name: "two",
        origin: undefined,
        isThin: false,
        isSparse: false,
        sizeBytes: 8 * MiB,
        extents: [
          { path: "/dev/loop0", start: 4 * MiB, end: 12 * MiB },
          { path: "/dev/loop1", start: 0, end: 8 * MiB },
        ],
      },
    ]);
  });

  test("has one volume of several segments, and the origin of a snapshot", () => {
    const [volume, ...others] = parseVolumes(
      rowsOf(
        "Test3#Test2#UB5hFw-kmlm-LSoX-EI1t-ioVd-h7GL-M0W8Ht#/dev/hda2(251)#linear#1#2181038080#33554432#3221225472#swi-a-",
        "Test3#Test2#UB5hFw-kmlm-LSoX-EI1t-ioVd-h7GL-M0W8Ht#/dev/hda2(187)#linear#1#1040187392#33554432#3221225472#swi-a-",
      ),
    );
    expect(others).toEqual([]);
    expect(volume).toMatchObject({
      name: "Test3",
      origin: "Test2",
      isSparse: true,
      sizeBytes: 3_221_225_472,
    });
    expect(volume?.extents).toEqual([
      { path: "/dev/hda2", start: 251 * 33_554_432, end: 251 * 33_554_432 + 2_181_038_080 },
      { path: "/dev/hda2", start: 187 * 33_554_432, end: 187 * 33_554_432 + 1_040_187_392 },
    ]);
  });

  test("has no origin of a sparse volume, which is LVM's own, and no parts of a thin one", () => {
    expect(
      parseVolumes(
        rowsOf(
          "sparse#[sparse_vorigin]#a#/dev/sdb(0)#linear#1#4194304#4194304#4194304#swi-a-s---",
          "thin##b##thin#0#4194304#4194304#4194304#Vwi-a-tz--",
        ),
      ),
    ).toMatchObject([
      { name: "sparse", origin: undefined, isSparse: true },
      { name: "thin", isThin: true, extents: [] },
    ]);
  });

  test.each(["", "{}", "[]", '{"report":[{"lv":[{"lv_name":"a"}]}]}', '{"report":{}}'])(
    "is refused in another form: %s",
    (text) => {
      expect(() => parseVolumes(text)).toThrow("Cannot read the report of lvm");
    },
  );
});

test("the reports of vgs and pvs have the space of a group and the devices of groups", () => {
  expect(
    parseSpace('{"report": [{"vg": [{"vg_size":"125829120", "vg_free":"113246208"}]}], "log": []}'),
  ).toEqual({ capacityBytes: 125_829_120, allocationBytes: 12_582_912, availableBytes: 113_246_208 });
  expect(() => parseSpace('{"report": [{"vg": []}]}')).toThrow("Cannot read the report of lvm");
  expect(
    parsePhysicalVolumes(
      '{"report": [{"pv": [{"pv_name":"/dev/loop0", "vg_name":"vg0"}, {"pv_name":"/dev/loop1", "vg_name":""}]}]}',
    ),
  ).toEqual([
    { path: "/dev/loop0", group: "vg0" },
    { path: "/dev/loop1", group: "" },
  ]);
});

describe("a name of device-mapper", () => {
  const [GROUP, VOLUME] = ["oL9wHUpwdsLEFmFoRSnL3Tl3tNB2cLFJ", "r4xkCvMQhrWKITR66xEpn2e8hG1Z5gY0"];
  const uuid = `LVM-${GROUP}${VOLUME}`;

  // The key of libvirt's vol-logical.xml
  test.each([
    ["HostVG-Swap", uuid, { group: "HostVG", name: "Swap", uuid: "r4xkCv-MQhr-WKIT-R66x-Epn2-e8hG-1Z5gY0" }],
    ["a--b-c--d--e", uuid, { group: "a-b", name: "c-d-e" }],
    ["vg-one-real", `${uuid}-real`, undefined],
    ["vg-pool", `${uuid}-pool`, undefined],
    ["vg-pool-tpool", `${uuid}-tpool`, undefined],
    ["vg-sparse_vorigin", uuid, undefined],
    ["vg-r_rimage_0", uuid, undefined],
    ["vg-pvmove0", uuid, undefined],
    ["mpatha", "mpath-3600140500000000000000000000000000", undefined],
    ["luks-a", "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-luks-a", undefined],
    ["vg-a", "", undefined],
  ])("is %s with the identifier %s", (name, id, expected) => {
    const found = parseMappedVolume(name, id);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  });
});

describe("a name of LVM", () => {
  test.each(["..", ".", "-a", "a/b", "a b", "--config", "a\nb", "a#", "é", "a".repeat(128)])(
    "is never %j for a group",
    (name) => {
      expect(() => volumeGroupOf({ name: "p", source: { hosts: [], devices: [], name } })).toThrow(
        "is not the name of a volume group",
      );
    },
  );

  test.each(["..", "-a", "../x", "x_tdata", "snapshot1", "pvmove0", "a_rimage_0", "--yes", "", "a b"])(
    "is never %j for a volume",
    (name) => {
      expect(problemOfLogicalName(name, "vg")).toBeString();
    },
  );

  test("may have the characters of lvm(8)", () => {
    expect(problemOfLogicalName("vm-1_root.a+b", "vg")).toBeUndefined();
    expect(volumeGroupOf({ name: "vg.0-a_b+c", source: { hosts: [], devices: [] } })).toBe("vg.0-a_b+c");
    expect(problemOfLogicalName("a".repeat(100), "b".repeat(28))).toContain("over 127");
  });
});
