import { describe, expect, test } from "bun:test";
import { parseCpuDescription, refuseTooLong } from "../../../src/domain/other-documents/cpu-description.ts";
import { errorsOf } from "../../../src/errors.ts";

// Forms: formatcaps.html and formatdomain.html of libvirt, virCPUDefParseXML()

const parse = (xml: string) => parseCpuDescription(new TextEncoder().encode(xml));

const HOST = `<cpu>
  <arch>x86_64</arch>
  <model>Haswell-noTSX</model>
  <vendor>Intel</vendor>
  <microcode version='45'/>
  <signature family='6' model='60' stepping='3'/>
  <counter name='tsc' frequency='2596991000' scaling='no'/>
  <topology sockets='1' dies='1' clusters='1' cores='8' threads='1'/>
  <maxphysaddr mode='emulate' bits='39'/>
  <feature name='vme'/>
  <feature name='ds_cpl'/>
  <pages unit='KiB' size='4'/>
  <pages unit='KiB' size='2048'/>
</cpu>`;

describe("parseCpuDescription() reads", () => {
  test("the processor of a host, all of whose features are required", () => {
    expect(parse(HOST)).toEqual({
      arch: "x86_64",
      model: "Haswell-noTSX",
      vendor: "Intel",
      isStrict: false,
      features: [
        { name: "vme", policy: "require" },
        { name: "ds_cpl", policy: "require" },
      ],
    });
  });

  test("the processor of a guest, with its policies", () => {
    expect(
      parse(`<cpu mode='custom' match='strict' check='partial'><model fallback='forbid'>EPYC</model>
        <vendor>AMD</vendor><maxphysaddr mode='passthrough' limit='40'/>
        <feature name='a'/><feature policy='disable' name='b'/></cpu>`),
    ).toEqual({
      model: "EPYC",
      vendor: "AMD",
      isStrict: true,
      features: [
        { name: "a", policy: "require" },
        { name: "b", policy: "disable" },
      ],
    });
    expect(parse("<cpu mode='host-passthrough' migratable='on'/>")).toEqual({
      isStrict: false,
      features: [],
    });
  });
});

describe("parseCpuDescription() refuses by its place", () => {
  test.each([
    ["an unknown element", HOST.replace("<vendor>", "<x/><vendor>"), "/cpu/x"],
    ["an unknown attribute", HOST.replace("version=", "x='1' version="), "/cpu/microcode/@x"],
    [
      "a policy of a host's feature",
      HOST.replace("name='vme'", "name='vme' policy='force'"),
      "/cpu/feature[1]/@policy",
    ],
    ["a host without a model", HOST.replace(/<model>.*<\/model>/, ""), "/cpu/model"],
    ["a feature that is listed twice", HOST.replace("ds_cpl", "vme"), "/cpu/feature"],
    [
      "a guest with a host's elements",
      "<cpu><model>EPYC</model><microcode version='1'/></cpu>",
      "/cpu/microcode",
    ],
    ["a number that is none", HOST.replace("'45'", "'many'"), "/cpu/microcode/@version"],
    ["another mode", "<cpu mode='all'/>", "/cpu/@mode"],
    ["another document", "<domain/>", "/domain"],
  ])("%s", (_, xml, place) => {
    const [error, ...others] = errorsOf(() => parse(xml));
    expect([error?.place, others]).toEqual([place, []]);
  });

  test("more than the bytes that are read together", () => {
    const half = new Uint8Array(1 << 19);
    expect(errorsOf(() => refuseTooLong(Array<Uint8Array>(8).fill(half)))).toEqual([]);
    expect(() => refuseTooLong(Array<Uint8Array>(9).fill(half))).toThrow("more than 4194304 bytes");
  });
});
