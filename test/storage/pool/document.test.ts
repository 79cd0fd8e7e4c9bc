import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../../src/errors.ts";
import { formatPool, parsePool, parsePoolText } from "../../../src/storage/pool/document.ts";
import { poolForm } from "../../../src/storage/pool/forms/pool.ts";
import { POOL_TYPES } from "../../../src/storage/pool/pool-types.ts";
import { addPrefix } from "../../../src/xml/namespace.ts";
import { parseDocument } from "../../../src/xml/parse-document.ts";
import { bytesOf } from "../../domain/corpus.ts";
import { readDocuments } from "../../network/cases.ts";
import { OTHER_POOLS, otherPoolXml } from "../../scenes/pools.ts";
import { listDeclared, listFilled } from "../../style/declared-places.ts";

const NAMESPACE = "http://libvirt.org/schemas/storagepool/";
const pools = await readDocuments("pool");
/** libvirt reads and writes it, and its schema has it only in domains: virStorageAuthDefFormat(). */
const NOT_IN_SCHEMA = "/pool/source/auth/secret/@type";
const CEPH = "<host name='a'/><name>b</name><auth type='ceph' username='c'>";

describe("a pool's document", () => {
  test.each(pools)("%s is written as it is read", (_, text) => {
    expect(formatPool(parsePoolText(text))).toBe(text);
  });

  test("has every declared place in a document of test/data/pool/", () => {
    const filled = pools.flatMap(([, text]) =>
      listFilled(
        poolForm,
        ["fs", "rbd"].reduce(
          (node, prefix) => addPrefix(node, `${NAMESPACE}${prefix}/1.0`, prefix),
          parseDocument(bytesOf(text)),
        ),
      ),
    );
    const tried = new Set([...filled.map(({ path }) => path), NOT_IN_SCHEMA]);
    expect(
      listDeclared(poolForm)
        .map(({ path }) => path)
        .filter((path) => !tried.has(path)),
    ).toEqual([]);
  });

  test("keeps the type of a secret", () => {
    const written = otherPoolXml("rbd", `<source>${CEPH}<secret type='ceph' usage='d'/></auth></source>`);
    expect(formatPool(parsePool(written))).toContain("<secret type='ceph' usage='d'/>");
  });

  test("of an active pool has its space", () => {
    const pool = parsePool(otherPoolXml("mpath", OTHER_POOLS.mpath));
    const text = formatPool(pool, { capacityBytes: 3, allocationBytes: 1, availableBytes: 2 });
    for (const part of [
      "capacity unit='bytes'>3<",
      "allocation unit='bytes'>1<",
      "available unit='bytes'>2<",
    ])
      expect(text).toContain(part);
  });

  test("is of one of libvirt's types", () => {
    expect(["dir", ...Object.keys(OTHER_POOLS)]).toEqual([...POOL_TYPES]);
  });
});

// virStoragePoolDefParseXML() of libvirt
describe("a pool is read with libvirt's defaults", () => {
  test.each([
    [
      "fs",
      "<source><device path='/dev/a'/></source><target><path>/a</path></target>",
      "<format type='auto'/>",
    ],
    ["netfs", OTHER_POOLS.netfs, "<format type='auto'/>"],
    ["logical", "", "<format type='lvm2'/>"],
    ["logical", "", "<path>/dev/other</path>"],
    ["logical", "<source><name>vg</name></source><target><path>/a</path></target>", "<path>/dev/vg</path>"],
    ["disk", OTHER_POOLS.disk, "<format type='unknown'/>"],
    ["zfs", "", "<path>/dev/zvol/other</path>"],
    ["zfs", "<source><name>tank/vms</name></source>", "<path>/dev/zvol/tank/vms</path>"],
    ["gluster", OTHER_POOLS.gluster, "<dir path='/'/>"],
    ["gluster", "<source><host name='a'/></source>", "<name>other</name>\n  </source>"],
    ["scsi", OTHER_POOLS.scsi, "<adapter type='scsi_host' name='host0'/>"],
    ["dir", "<target><path>/a//b///c/</path></target>", "<path>/a/b/c</path>"],
    ["dir", "<target><path>//a</path></target>", "<path>//a</path>"],
    ["dir", "<target><path>///</path></target>", "<path>/</path>"],
  ])("of type %s with %p", (type, content, part) => {
    expect(formatPool(parsePool(otherPoolXml(type, content)))).toContain(part);
  });

  test("has the name of its source", () => {
    const named = "<pool type='logical'><source><name>vg</name></source></pool>";
    expect(parsePoolText(named).name).toBe("vg");
  });

  test.each([
    ["dir", "<capacity>5</capacity><target><path>/a</path></target>", ">5<"],
    ["dir", "<source><device path='/dev/a'/></source><target><path>/a</path></target>", "device"],
    ["rbd", `${OTHER_POOLS.rbd}<target><path>/a</path></target>`, "target"],
    ["iscsi", OTHER_POOLS.iscsi.replace("name='a'", "name='a' port='0'"), "port"],
    ["disk", OTHER_POOLS.disk.replace("/>", "><freeExtent start='1' end='2'/></device>"), "freeExtent"],
    ["dir", "<target><path>/a</path><permissions><owner>-1</owner></permissions></target>", "permissions"],
    ["dir", "<features/><target><path>/a</path></target>", "features"],
    ["dir", "<refresh/><target><path>/a</path></target>", "refresh"],
    [
      "mpath",
      `${OTHER_POOLS.mpath}<fs:mount_opts xmlns:fs='${NAMESPACE}fs/1.0'><fs:option name='a'/></fs:mount_opts>`,
      "fs:",
    ],
  ])("of type %s with %p is written without %p", (type, content, part) => {
    expect(formatPool(parsePool(otherPoolXml(type, content)))).not.toContain(part);
  });
});

describe("a pool is refused by its place", () => {
  const dir = (more: string): string => `<target><path>/a</path></target>${more}`;
  test.each([
    ["dir", "", "/pool/target/path"],
    ["dir", dir("<unknown/>"), "/pool/unknown"],
    ["dir", "<target><path>a</path></target>", "/pool/target/path"],
    ["dir", "<target><path>/a/../b</path></target>", "/pool/target/path"],
    ["dir", "<target><path>/a</path><encryption format='luks'/></target>", "/pool/target/encryption"],
    [
      "dir",
      "<target><path>/a</path><permissions><mode>01777</mode></permissions></target>",
      "/pool/target/permissions/mode",
    ],
    [
      "dir",
      "<target><path>/a</path><permissions><owner>a</owner></permissions></target>",
      "/pool/target/permissions/owner",
    ],
    ["mpath", `<features><cow state='yes'/></features>${OTHER_POOLS.mpath}`, "/pool/features/cow"],
    ["other", dir(""), "/pool/@type"],
    ["fs", dir(""), "/pool/source/device"],
    ["fs", OTHER_POOLS.fs.replace("</source>", "<format type='nfs'/></source>"), "/pool/source/format/@type"],
    ["netfs", dir("<source><dir path='/a'/></source>"), "/pool/source/host"],
    ["netfs", dir("<source><host name='a'/></source>"), "/pool/source/dir"],
    [
      "netfs",
      dir("<source><host name='a'/><dir path='a'/><format type='cifs'/><protocol ver='3'/></source>"),
      "/pool/source/protocol",
    ],
    [
      "netfs",
      dir("<source><host name='a'/><dir path='a'/><protocol ver='3,suid'/></source>"),
      "/pool/source/protocol/@ver",
    ],
    ["netfs", dir("<source><host name='-o suid'/><dir path='a'/></source>"), "/pool/source/host/@name"],
    ["disk", dir(""), "/pool/source/device"],
    ["iscsi", dir(""), "/pool/source/host"],
    ["iscsi-direct", "<source><host name='a'/></source>", "/pool/source/initiator"],
    ["scsi", dir(""), "/pool/source/adapter"],
    ["scsi", dir("<source><adapter/></source>"), "/pool/source/adapter"],
    ["scsi", dir("<source><adapter wwnn='20000000c9831b4b'/></source>"), "/pool/source/adapter/@wwnn"],
    [
      "scsi",
      dir("<source><adapter type='fc_host' wwnn='20000000c9831b4b'/></source>"),
      "/pool/source/adapter/@wwpn",
    ],
    [
      "scsi",
      dir("<source><adapter type='fc_host' wwnn='20000000c9831b4b' wwpn='1'/></source>"),
      "/pool/source/adapter/@wwpn",
    ],
    [
      "scsi",
      dir(
        "<source><adapter type='fc_host' parent_wwnn='20000000c9831b4b' wwnn='20000000c9831b4b' wwpn='20000000c9831b4b'/></source>",
      ),
      "/pool/source/adapter/@parent_wwpn",
    ],
    [
      "scsi",
      dir(
        "<source><adapter><parentaddr unique_id='1'><address bus='0' slot='1' function='0'/></parentaddr></adapter></source>",
      ),
      "/pool/source/adapter/@type",
    ],
    ["rbd", "<source><host name='a'/></source>", "/pool/source/name"],
    ["rbd", `<source>${CEPH}</auth></source>`, "/pool/source/auth/secret"],
    ["rbd", `<source>${CEPH}<secret/></auth></source>`, "/pool/source/auth/secret"],
    [
      "rbd",
      "<source><host name='a'/><name>b</name><auth username='c'><secret usage='d'/></auth></source>",
      "/pool/source/auth/@type",
    ],
    ["sheepdog", "", "/pool/source/host"],
    ["gluster", "<source><name>a</name></source>", "/pool/source/host"],
  ])("of type %s with %p", (type, content, place) => {
    expect(refusedPlace(otherPoolXml(type, content))).toBe(place);
  });

  test.each([
    ["<domain type='kvm'/>", "/domain"],
    ["<pool><name>a</name></pool>", "/pool/@type"],
    ["<pool type='dir'><name>a/b</name><target><path>/a</path></target></pool>", "/pool/name"],
    ["<pool type='dir'><target><path>/a</path></target></pool>", "/pool/name"],
    ["<pool type='logical'><source><name>a/b</name></source></pool>", "/pool/name"],
  ])("%s", (text, place) => {
    expect(refusedPlace(bytesOf(text))).toBe(place);
  });
});

function refusedPlace(bytes: Uint8Array): string | undefined {
  try {
    parsePool(bytes);
  } catch (thrown) {
    if (thrown instanceof SvirtError && thrown.exitCode === 2 && thrown.remedy !== "") return thrown.place;
    throw thrown;
  }
  return undefined;
}
