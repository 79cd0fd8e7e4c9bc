import { describe, expect, test } from "bun:test";
import { formatDomain, parseDomain } from "../../src/domain/document.ts";
import { bytesOf, corpus, domainWith, readCase } from "./corpus.ts";

const SPARE = "00000000-0000-4000-8000-000000000001";

describe("parseDomain() and formatDomain()", () => {
  test.each(corpus)("give %s back to the byte", async (name) => {
    const text = await readCase(name);
    expect(formatDomain(parseDomain(bytesOf(text)))).toBe(text);
  });

  test("take a spare UUID where the XML has none, and keep the XML's where it has one", () => {
    const without = "<domain type='kvm'><name>a</name><memory>1</memory><os><type>hvm</type></os></domain>";
    expect(parseDomain(bytesOf(without), SPARE).uuid).toBe(SPARE);
    expect(parseDomain(domainWith(""), SPARE).uuid).toBe("c7a5fdbd-edaf-9455-926a-d65c16db1809");
    expect(() => parseDomain(bytesOf(without))).toThrow("Cannot read /domain/uuid in line 1: it is missing");
  });

  test("refuse a document of something else", () => {
    expect(() => parseDomain(bytesOf("<pool type='dir'/>"))).toThrow(
      "Cannot read /pool in line 1: it is not a <domain>",
    );
  });

  test.each([
    ["<memory>2048</memory>", 2048],
    ["<memory unit='b'>1</memory>", 1],
    ["<memory unit='bytes'>1025</memory>", 2],
    ["<memory unit='KB'>1000</memory>", 977],
    ["<memory unit='k'>3</memory>", 3],
    ["<memory unit='MB'>1</memory>", 977],
    ["<memory unit='MiB'> 64 </memory>", 65536],
    ["<memory unit='G'>2</memory>", 2097152],
    ["<memory unit='TiB'>1</memory>", 1073741824],
  ])("read %s as %d KiB", (memory, kiB) => {
    const xml = `<domain type='kvm'><name>a</name>${memory}<os><type>hvm</type></os></domain>`;
    expect(parseDomain(bytesOf(xml), SPARE).memory.kiB).toBe(kiB);
  });

  test.each([
    ["<memory unit='stone'>1</memory>", '/domain/memory/@unit in line 1: "stone" is not one of "b"'],
    ["<memory>0</memory>", '/domain/memory in line 1: "0" is not a whole number'],
    ["<memory>-1</memory>", '/domain/memory in line 1: "-1" is not a whole number'],
    ["<memory>1e3</memory>", '/domain/memory in line 1: "1e3" is not a whole number'],
    ["<memory>99999999999999999</memory>", "/domain/memory in line 1: "],
    [
      "<memory unit='TiB'>9007199254740991</memory>",
      "/domain/memory in line 1: it is more than 4398046511104 KiB",
    ],
    [
      "<memory>8</memory><memory>8</memory>",
      "/domain/memory[2] in line 1: only one <memory> is allowed here",
    ],
    ["", "/domain/memory in line 1: it is missing"],
  ])("refuse %s", (memory, message) => {
    const xml = `<domain type='kvm'><name>a</name>${memory}<os><type>hvm</type></os></domain>`;
    expect(() => parseDomain(bytesOf(xml), SPARE)).toThrow(`Cannot read ${message}`);
  });

  test.each([".", "..", "a/b", " a", "a ", "", "a\nb", "a\u0085b", "é".repeat(101)])(
    "refuse the name %j",
    (name) => {
      const xml = `<domain type='kvm'><name>${name}</name><memory>1</memory><os><type>hvm</type></os></domain>`;
      expect(() => parseDomain(bytesOf(xml), SPARE)).toThrow("Cannot read /domain/name in line 1: ");
    },
  );

  test.each(["...", "a b", "Größe", "-x", "a,b", "é".repeat(100), "a\\b", "&quot;"])(
    "take the name %j",
    (name) => {
      const xml = `<domain type='kvm'><name>${name}</name><memory>1</memory><os><type>hvm</type></os></domain>`;
      expect(parseDomain(bytesOf(xml), SPARE).name).toBe(name.replace("&quot;", '"'));
    },
  );

  test("write UUIDs small and with their hyphens", () => {
    const xml =
      "<domain type='kvm'><name>a</name><uuid>C7A5FDBDEDAF9455926AD65C16DB1809</uuid><memory>1</memory><os><type>hvm</type></os></domain>";
    expect(parseDomain(bytesOf(xml)).uuid).toBe("c7a5fdbd-edaf-9455-926a-d65c16db1809");
  });

  test("show a running guest's number and labels in the place of its seclabel", () => {
    const value = parseDomain(
      domainWith(
        "",
        "<seclabel type='dynamic' model='selinux'><baselabel>u:r:t:s0</baselabel></seclabel><seclabel type='none' model='dac'/>",
      ),
    );
    const text = formatDomain(value, {
      id: 7,
      model: "selinux",
      label: "u:r:t:s0:c1,c2",
      imageLabel: "u:o:i:s0:c1,c2",
    });
    expect(text).toStartWith("<domain type='kvm' id='7'>\n");
    expect(text).toEndWith(`  <seclabel type='dynamic' model='selinux' relabel='yes'>
    <label>u:r:t:s0:c1,c2</label>
    <imagelabel>u:o:i:s0:c1,c2</imagelabel>
    <baselabel>u:r:t:s0</baselabel>
  </seclabel>
  <seclabel type='none' model='dac'/>
</domain>
`);
    expect(parseDomain(bytesOf(text))).toEqual({
      ...value,
      seclabels: [
        { type: "dynamic", model: "selinux", relabel: true, baselabel: "u:r:t:s0" },
        { type: "none", model: "dac" },
      ],
    });
  });

  test("show the labels of a guest whose XML has no seclabel, and none for a guest without one", () => {
    const value = parseDomain(domainWith(""));
    expect(
      formatDomain(value, { id: 1, model: "selinux", label: "a:b:c:s0:c1,c2", imageLabel: "a:b:d:s0:c1,c2" }),
    ).toEndWith(
      `  <seclabel type='dynamic' model='selinux' relabel='yes'>
    <label>a:b:c:s0:c1,c2</label>
    <imagelabel>a:b:d:s0:c1,c2</imagelabel>
  </seclabel>
</domain>
`,
    );
    expect(formatDomain(value, { id: 1, model: "none" })).not.toContain("seclabel");
  });

  test("show a static label that relabels nothing", () => {
    const value = parseDomain(
      domainWith("", "<seclabel type='static' model='selinux'><label>a:b:c:s0:c1,c2</label></seclabel>"),
    );
    expect(formatDomain(value, { id: 1, model: "selinux", label: "a:b:c:s0:c1,c2" })).toContain(
      "<seclabel type='static' model='selinux' relabel='no'>",
    );
  });
});
