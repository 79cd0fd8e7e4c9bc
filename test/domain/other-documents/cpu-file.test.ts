import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { parseCpuFile } from "../../../src/domain/other-documents/cpu-file.ts";
import { errorsOf } from "../../../src/errors.ts";

// By vshExtractCPUDefXMLs() of libvirt's virsh-host.c.

const DATA = process.env["SVIRT_TEST_DATA"] ?? "";
const CAPABILITIES = `${DATA}/libvirt/capabilityschemadata`;
const lack = DATA !== "" && existsSync(CAPABILITIES) ? "" : " (skipped: SVIRT_TEST_DATA is not set)";

const CPU = (model: string): string => `<cpu><model>${model}</model></cpu>`;
const parse = (xml: string) => parseCpuFile(new TextEncoder().encode(xml), "f.xml");
const modelsIn = (xml: string) => parse(xml).map(({ model }) => model);

describe("parseCpuFile() finds the processor of", () => {
  test.each([
    ["a <cpu>", CPU("a")],
    ["a document with a declaration", `<?xml version='1.0'?>\n${CPU("a")}`],
    ["a domain, the rest of which is not read", `<domain><x>${CPU("b")}</x>${CPU("a")}</domain>`],
    [
      "capabilities, but not those of their topology",
      "<capabilities><host><cpu><arch>x86_64</arch><model>a</model></cpu><topology><cpu id='0'/></topology></host></capabilities>",
    ],
    [
      "domain capabilities: host-model",
      `<domainCapabilities><cpu><mode name='host-passthrough' supported='yes'/>
        <mode name='host-model' supported='yes'><model fallback='forbid'>a</model></mode>
        <mode name='custom' supported='yes'><model usable='no'>b</model></mode></cpu></domainCapabilities>`,
    ],
  ])("%s", (_, xml) => {
    expect(modelsIn(xml)).toEqual(["a"]);
  });

  test("several documents, in their order", () => {
    const capabilities =
      "<capabilities><host><cpu><arch>x86_64</arch><model>b</model></cpu></host></capabilities>";
    expect(modelsIn(`<domain>${CPU("a")}</domain>${capabilities}\n${CPU("c")}`)).toEqual(["a", "b", "c"]);
  });

  test.skipIf(lack !== "")(`libvirt's recorded capabilities${lack}`, async () => {
    const read = async (name: string) => parse(await Bun.file(`${CAPABILITIES}/${name}.xml`).text());
    const [kvm] = await read("caps-qemu-kvm");
    expect([kvm.model, kvm.vendor, kvm.features[0]?.name]).toEqual(["Haswell-noTSX", "Intel", "vme"]);
    expect((await read("caps-test2"))[0].model).toBe("SandyBridge");
    expect((await read("caps-test3"))[0].model).toBe("Westmere");
  });
});

describe("parseCpuFile() refuses", () => {
  test.each([
    ["a file without a processor", "<domain/>"],
    [
      "host-model without support",
      "<domainCapabilities><cpu><mode name='host-model' supported='no'/></cpu></domainCapabilities>",
    ],
    ["an empty file", ""],
  ])("%s", (_, xml) => {
    expect(() => parse(xml)).toThrow("File 'f.xml' does not contain any <cpu> element");
  });

  test("what a processor has besides, by its place", () => {
    const [error] = errorsOf(() => parse(`<domain>${CPU("a").replace("</cpu>", "<x/></cpu>")}</domain>`));
    expect(error?.place).toBe("/cpu/x");
  });
});
