import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { bytesOf } from "../../domain/corpus.ts";

const UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809";

/** Returns QEMU's arguments for a domain with these elements. */
function wordsFor(inside: string, memory = "<memory>2097152</memory>"): readonly string[] {
  const text = `<domain type='qemu'><name>guest</name>${memory}<os><type machine='pc'>hvm</type></os>${inside}</domain>`;
  return formatArgv(parseDomain(bytesOf(text), UUID));
}

const cell = (id: number, cpus: string, more = ""): string =>
  `<cell id='${id}' cpus='${cpus}' memory='1048576'>${more}</cell>`;

describe("formatArgv() refuses what only the host knows", () => {
  test.each([
    ["<numatune><memory placement='auto'/></numatune>", "/domain/numatune/memory/@placement"],
    ["<vcpu placement='auto'>1</vcpu>", "/domain/numatune/memory/@placement"],
    [
      "<vcpu cpuset='0'>1</vcpu><numatune><memory nodeset='0'/></numatune><memoryBacking><hugepages/></memoryBacking>",
      "/domain/memory for QEMU: svirt does not look up the NUMA nodes of QEMU's processors",
    ],
    [
      "<memoryBacking><hugepages><page size='5' unit='MiB'/></hugepages></memoryBacking>",
      "pages of 5120 KiB",
    ],
  ])("%s", (inside, place) => {
    expect(() => wordsFor(inside)).toThrow(place);
  });
});

describe("parseDomain() refuses memory that is not there", () => {
  const dimm = (target: string): string =>
    `<devices><memory model='dimm'><target><size>524288</size>${target}</target></memory></devices>`;
  const max = "<maxMemory slots='1'>8388608</maxMemory><memory>2097152</memory>";
  const one = `<cpu><numa>${cell(0, "0")}</numa></cpu>`;
  test.each([
    [`${one}${dimm("<node>1</node>")}`, max, "the guest has no NUMA cell 1"],
    [dimm("<node>0</node>"), max, "it requires a NUMA cell"],
    [`${one}${dimm("")}`, max, "/domain/devices/memory[1]/target/node in line 1: it is missing"],
    [`${one}${dimm("<node>0</node>")}`, "<memory>2097152</memory>", "memory devices need <maxMemory>"],
    ["<numatune><memnode cellid='0' mode='strict' nodeset='0'/></numatune>", undefined, "no NUMA cell 0"],
    [`<vcpu>1</vcpu><cpu><numa>${cell(0, "0-1")}</numa></cpu>`, undefined, "no virtual CPU 1"],
    [
      `<vcpu>2</vcpu><cpu><numa>${cell(0, "0")}${cell(2, "1")}</numa></cpu>`,
      undefined,
      "the cells must be numbered from 0",
    ],
    [
      `<vcpu>2</vcpu><cpu><numa>${cell(0, "0")}${cell(1, "0-1")}</numa></cpu>`,
      undefined,
      "0 is in two cells",
    ],
  ])("%s", (inside, memory, problem) => {
    expect(() => wordsFor(inside, memory)).toThrow(problem);
  });
});

test("formatArgv() tells QEMU all distances as soon as one of them is not the default", () => {
  const distance = "<distances><sibling id='1' value='21'/></distances>";
  const words = wordsFor(`<vcpu>2</vcpu><cpu><numa>${cell(0, "0", distance)}${cell(1, "1")}</numa></cpu>`);
  expect(words.filter((word) => word.startsWith("dist,"))).toEqual([
    "dist,src=0,dst=0,val=10",
    "dist,src=0,dst=1,val=21",
    "dist,src=1,dst=0,val=21",
    "dist,src=1,dst=1,val=10",
  ]);
});

test("parseDomain() adds up NUMA cells and memory devices where <memory> is left out", () => {
  const dimm =
    "<devices><memory model='dimm'><target><size unit='MiB'>512</size><node>0</node></target></memory></devices>";
  const words = wordsFor(
    `<vcpu>2</vcpu><cpu><numa>${cell(0, "0")}${cell(1, "1")}</numa></cpu>${dimm}`,
    "<maxMemory slots='1' unit='GiB'>4</maxMemory>",
  );
  // Two cells of 1 GiB, without the memory device.
  expect(words[words.indexOf("-m") + 1]).toBe("size=2097152k,slots=1,maxmem=4194304k");
});
