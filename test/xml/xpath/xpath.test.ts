import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SvirtError } from "../../../src/errors.ts";
import { formatNodesOf } from "../../../src/xml/xpath/format-nodes-of.ts";

const UUID = "11111111-2222-4333-8444-000000000001";
const DOMAIN = `<domain type='test'><name>vm1</name><uuid>${UUID}</uuid><title>A &lt;b&gt; "q"</title><description>two
lines &amp; more</description><memory>65536</memory><vcpu>2</vcpu>
<metadata><a:x xmlns:a='http://a/'><a:y z='1'>t</a:y></a:x></metadata><os><type>hvm</type></os><devices>
<disk type='file' device='disk'><source file='/a.img'/><target dev='vda' bus='virtio'/></disk>
<disk type='file' device='disk'><source file='/b &amp; "c".img'/><target dev='vdb' bus='virtio'/><serial>x</serial></disk>
<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/><target dev='testnet0'/></interface>
</devices></domain>`;

/** Expressions of XPath 1.0 that scripts use, and each construct that is implemented. */
const EXPRESSIONS = [
  ...["//interface/mac/@address", "/domain/devices/disk", "./devices/disk[@device='disk']/source/@file"],
  ...["devices/disk[2]", "//disk[1]", "(//disk)[1]", "(//disk)[2]/target", "//disk[last()]/target"],
  ...["//*[@type='pci']", "//mac/..", "name", "name/text()", "//name | //uuid", "//@dev", "/domain/@*"],
  ...["//disk[source]/target/@dev", "//disk[not(source)]", "//disk[target/@dev='vda' or target/@dev='vdb']"],
  ...["//disk[contains(source/@file,'a')]", "//source[starts-with(@file,'/')]", "//nothing", "devices/*"],
  ...["//disk[position()<3]/target/@dev", "//address/ancestor::disk", "//disk[count(*)>3]", "//vcpu[.=2]"],
  ...["//vcpu[text()='2']", "description", "//title", "//disk[@device!='cdrom']", "//disk/self::disk"],
  ...["//disk/@*", "metadata", "//child::target[attribute::dev='vda']", "//disk[1]/descendant::*"],
  ...["//disk[source/@file = //disk[2]/source/@file]", "//*[self::disk or self::interface]/target"],
  ...["//disk//@*", "//disk[@device='disk' and serial]", "//disk[.//@dev='sda']", "//target[@dev > 1]"],
  ...[
    '//target[@dev="vda"]',
    "//disk[@device='disk'][2]",
    " name ",
    "//disk[(1)]",
    "//disk[2 <= position()]/target",
  ],
];

function printed(xml: Uint8Array, expression: string, isWrapped = false): string {
  const lines = formatNodesOf(new TextDecoder().decode(xml), expression, isWrapped);
  return lines.map((line) => `${line}\n`).join("");
}

const select = (expression: string, xml = DOMAIN): string =>
  printed(new TextEncoder().encode(xml), expression);

const hasVirsh = Bun.which("virsh") !== null;

describe.skipIf(!hasVirsh)(
  `selects and prints what virsh does${hasVirsh ? "" : " (skipped: needs virsh)"}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "svirt-xpath-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "node.xml"), `<node>${DOMAIN}</node>`);
    // libvirt's hypervisor for tests, inside of virsh.
    const dump = (...words: readonly string[]): Uint8Array =>
      Bun.spawnSync(["virsh", "-q", "-c", `test://${folder}/node.xml`, "dumpxml", "vm1", ...words]).stdout;

    test.each(EXPRESSIONS)("%s", (expression) => {
      const xml = dump();
      expect(xml.length).toBeGreaterThan(500);
      expect(printed(xml, expression)).toBe(dump("--xpath", expression).toString());
      expect(printed(xml, expression, true)).toBe(dump("--xpath", expression, "--wrap").toString());
    });
  },
);

describe("formatNodesOf()", () => {
  test.each([
    ["//interface/mac/@address", ' address="52:54:00:00:00:01"\n'],
    [
      "//disk[@device='cdrom']",
      '<disk type="file" device="cdrom">\n  <target dev="sda" bus="sata"/>\n  <readonly/>\n</disk>\n',
    ],
    ["name/text()", "vm1\n"],
    ["//serial | name", "<name>vm1</name>\n<serial>x</serial>\n"],
    ["//serial | //serial", "<serial>x</serial>\n"],
    ["//nothing", ""],
  ])("finds %s", (expression, text) => {
    expect(select(expression)).toBe(text);
  });

  test("does not match a name without a prefix with one that has it, and shows text beside elements as it is", () => {
    expect(select("//y")).toBe("");
    expect(select("b", "<a><b>one<c x='1'/>two</b></a>")).toBe("<b>one<c x='1'/>two</b>\n");
  });

  test.each([
    ["", "it is incomplete"],
    ["//", "it is incomplete"],
    ["//disk[", "it is incomplete"],
    ["//disk]", '"]" is not expected there'],
    ["//disk[1", "it is incomplete"],
    ["a b", '"b" is not expected there'],
    ["//a:x", '":x" is not understood'],
    ["$x", '"$x" is not understood'],
    ["1 + 1", '"+ 1" is not understood'],
    ["following::disk", "the axis following is not implemented"],
    ["string(name)", "the function string() with 1 arguments is not implemented"],
    ["not()", "the function not() with 0 arguments is not implemented"],
    ["constructor()", "the function constructor() with 0 arguments is not implemented"],
    ["count(//disk)", "it is no set of nodes"],
    ["'text'", "it is no set of nodes"],
    ["count('a')", "it is no set of nodes"],
    ["1 | name", "it is no set of nodes"],
    ["'open", "is not understood"],
    [`${"(".repeat(100)}name${")".repeat(100)}`, "it is nested more than 64 levels deep"],
    [`name[${"a".repeat(5000)}]`, "it has more than 4096 characters"],
  ])("refuses %j", (expression, why) => {
    let error: unknown;
    try {
      select(expression);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SvirtError);
    expect(error).toMatchObject({ kind: "usage", message: expect.stringContaining(why) });
  });
});
