import { describe, expect, test } from "bun:test";
import {
  addPartitionCommand,
  deletePartitionCommand,
  makeTableCommand,
  parseTable,
} from "../../../src/storage/pool/disk/table.ts";
import { parseVolume } from "../../../src/storage/volume/document.ts";
import { decidePartition } from "../../../src/storage/volume/new-partition.ts";
import { bytesOf } from "../../domain/corpus.ts";

const MiB = 1024 * 1024;
/**
 * Output of sfdisk 2.41 for an image of 64 MiB: partitions at 1 MiB (1 MiB), 4 MiB (1 MiB) and 8 MiB (1 MiB).
 */
const GPT = parseTable(`{
   "partitiontable": {
      "label": "gpt",
      "id": "35D2DD6B-AB8B-4440-88D2-9CB07F91033B",
      "device": "e.img",
      "unit": "sectors",
      "firstlba": 2048,
      "lastlba": 131038,
      "sectorsize": 512,
      "partitions": [
         {"node": "e.img1", "start": 8192, "size": 2048, "type": "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "uuid": "E4879A80-CB02-41DC-87D5-F0CF0E647900"},
         {"node": "e.img2", "start": 16384, "size": 2048, "type": "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "uuid": "4E1DAFA9-1D87-42D5-9FF1-FDD3EDF986A0"},
         {"node": "e.img4", "start": 2048, "size": 2048, "type": "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "uuid": "C2598DB7-2073-4A5B-8149-F0111E643D29"}
      ]
   }
}`);
const DOS = parseTable(
  '{"partitiontable": {"label": "dos", "id": "0x7f6a9571", "device": "e.img", "unit": "sectors", "sectorsize": 512}}',
);

const volumeOf = (name: string, content: string) =>
  parseVolume(bytesOf(`<volume type='block'><name>${name}</name>${content}</volume>`));
const disk = { name: "sdb", sizeBytes: 64 * MiB, table: GPT };

describe("a new partition", () => {
  test("is in the smallest free part that is large enough, and has the first free number", () => {
    for (const [size, startSector] of [
      [1 * MiB, 4096],
      [2 * MiB, 4096],
      [3 * MiB, 10_240],
      [4 * MiB, 18_432],
      [54 * MiB, 18_432],
    ] as const)
      expect(decidePartition(volumeOf("sdb3", `<capacity>${size}</capacity>`), disk)).toEqual({
        number: 3,
        name: "sdb3",
        startSector,
        sectors: size / 512,
        type: undefined,
      });
  });

  // Seen on a loop device: a write of the disk's last 2560 bytes before sector 8197 replaced what
  // /dev/loop0p1 had written behind it.
  test("shares no block of the kernel with the next partition, which may be in use", () => {
    const next = { number: 2, start: 8197 * 512, end: 20 * MiB };
    const table = { ...DOS, partitions: [next] };
    const placed = (sectors: number): number =>
      decidePartition(volumeOf("sdb1", `<capacity>${sectors * 512}</capacity>`), { ...disk, table })
        .startSector;
    expect(placed(8192 - 2048)).toBe(2048);
    expect(placed(8193 - 2048)).toBe((20 * MiB) / 512);
    expect(placed(8197 - 2048)).toBe((20 * MiB) / 512);
  });

  test("has whole sectors of a disk of any sector size", () => {
    const table = { ...DOS, sectorBytes: 4096 };
    expect(decidePartition(volumeOf("sdb1", "<capacity>5000</capacity>"), { ...disk, table })).toMatchObject({
      startSector: 256,
      sectors: 2,
    });
  });

  // virStorageBackendDiskPartBoundaries() and virStorageBackendDiskMakeDataVol() of libvirt
  test("is refused in libvirt's words without space, and by another name", () => {
    expect(() => decidePartition(volumeOf("sdb3", "<capacity unit='MiB'>55</capacity>"), disk)).toThrow(
      "internal error: no large enough free extent",
    );
    expect(() => decidePartition(volumeOf("sdb1", "<capacity>1</capacity>"), disk)).toThrow(
      "invalid argument: invalid partition name 'sdb1', expected 'sdb3'",
    );
    expect(() =>
      decidePartition(volumeOf("a", "<capacity>1</capacity>"), { ...disk, name: "nvme0n1" }),
    ).toThrow("expected 'nvme0n1p3'");
    const full = { ...DOS, partitions: [1, 2, 3, 4].map((number) => ({ number, start: MiB, end: 2 * MiB })) };
    expect(() =>
      decidePartition(volumeOf("sdb5", "<capacity>1</capacity>"), { ...disk, table: full }),
    ).toThrow("no extended partition found and no primary partition available");
    expect(() => decidePartition(volumeOf("sdb3", ""), disk)).toThrow(
      "volume capacity required for this storage pool",
    );
  });

  test.each([
    ["<target><format type='extended'/></target>", "/volume/target/format"],
    ["<target><format type='qcow2'/></target>", "/volume/target/format"],
    ["<target><permissions><label>a:b:c</label></permissions></target>", "/volume/target/permissions/label"],
    ["<backingStore><path>/dev/sda1</path></backingStore>", "/volume/backingStore"],
  ])("is refused with %s", (content, place) => {
    expect(() => decidePartition(volumeOf("sdb3", `<capacity>1</capacity>${content}`), disk)).toThrow(place);
  });

  test("has the type of its format in a table of type dos alone", () => {
    const swap = "<capacity>1</capacity><target><format type='linux-swap'/></target>";
    expect(decidePartition(volumeOf("sdb3", swap), disk).type).toBeUndefined();
    expect(decidePartition(volumeOf("sdb1", swap), { ...disk, table: DOS }).type).toBe("82");
  });

  test("is refused on a disk with a table of another type", () => {
    const table = { ...DOS, label: "sun" };
    expect(() => decidePartition(volumeOf("sdb1", "<capacity>1</capacity>"), { ...disk, table })).toThrow(
      "/dev/sdb has a partition table of type sun",
    );
  });
});

// Run with sfdisk 2.41 on an image: the named partition is added, the others stay.
test("the commands of sfdisk name the disk and one partition", () => {
  const partition = { number: 3, name: "sdb3", startSector: 4096, sectors: 2048 };
  expect(addPartitionCommand("/dev/sdb", { ...partition, type: undefined })).toEqual({
    words: ["/usr/sbin/sfdisk", "--quiet", "--append", "--no-reread", "/dev/sdb"],
    input: "/dev/sdb3 : start=4096, size=2048\n",
  });
  expect(addPartitionCommand("/dev/sdb", { ...partition, type: "83" }).input).toEndWith(", type=83\n");
  expect(deletePartitionCommand("/dev/sdb", 3).words.slice(1)).toEqual([
    ...["--quiet", "--no-reread", "--delete", "/dev/sdb", "3"],
  ]);
  expect(makeTableCommand("/dev/sdb", "unknown").input).toBe("label: dos\n");
  expect(() => makeTableCommand("/dev/sdb", "bsd")).toThrow("svirt makes no partition tables of type bsd");
  expect(() => parseTable("{}")).toThrow("Cannot read the report of sfdisk");
});
