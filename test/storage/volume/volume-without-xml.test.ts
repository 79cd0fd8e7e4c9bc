import { describe, expect, test } from "bun:test";
import { parseVolume } from "../../../src/storage/volume/document.ts";
import {
  formatVolumeArguments,
  type VolumeArguments,
} from "../../../src/storage/volume/volume-of-arguments.ts";
import { volumeOfArguments } from "../../../src/storage/volume/volume-without-xml.ts";
import { bytesOf } from "../../domain/corpus.ts";

const plain: readonly VolumeArguments[] = [
  { name: "vm.raw", capacityBytes: 2 ** 30 },
  { name: "vm.qcow2", capacityBytes: 0, format: "qcow2" },
  { name: "-a:b@c+d_e", capacityBytes: 2 ** 45, allocationBytes: 0, format: "raw" },
  { name: "..", capacityBytes: 1, allocationBytes: 4096, format: "vmdk" },
];

test.each(plain)("volumeOfArguments() of %j is the volume of its XML", (words) => {
  expect(volumeOfArguments(words)).toEqual(parseVolume(bytesOf(formatVolumeArguments(words))));
});

describe("volumeOfArguments() leaves to the XML", () => {
  test.each([
    ["a name with a blank", { name: "a b", capacityBytes: 1 }],
    ["a name that needs a reference", { name: "a<b", capacityBytes: 1 }],
    ["no name", { name: "", capacityBytes: 1 }],
    ["a format that is no word", { name: "a", capacityBytes: 1, format: "a\tb" }],
    ["a backing volume", { name: "a", capacityBytes: 1, backing: { path: "/srv/base.raw" } }],
  ])("%s", (_, words) => {
    expect(volumeOfArguments(words)).toBeUndefined();
  });
});
