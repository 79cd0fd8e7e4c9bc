import { describe, expect, test } from "bun:test";
import { withoutSecrets } from "../../src/domain/xml-without-secrets.ts";

const around = (devices: string): string => `<domain type='kvm'>
  <name>vm1</name>
  <metadata>
    <a:b xmlns:a='urn:a' a:c='&lt;'>text</a:b>
  </metadata>
  <devices>
${devices}
  </devices>
</domain>
`;

// virDomainGraphicsAuthDefFormatAttr() and virDomainDiskSourceFormatNetworkCookies() of libvirt's
// domain_conf.c
describe("a domain's XML without its secrets", () => {
  test.each([
    [
      "    <graphics type='vnc' port='-1' passwd='swordfish' passwdValidTo='2030-01-01T00:00:00' connected='keep'/>",
      "    <graphics type='vnc' port='-1'/>",
    ],
    ["    <graphics passwd='a&quot;swordfish' type='spice'/>", "    <graphics type='spice'/>"],
    [
      "    <source protocol='https' name='u'>\n      <cookies>\n        <cookie name='c'>swordfish</cookie>\n      </cookies>\n    </source>",
      "    <source protocol='https' name='u'/>",
    ],
  ])("lacks them, and nothing else: %s", (devices, without) => {
    expect(withoutSecrets(around(devices))).toBe(around(without));
  });

  test("is the same text, comments and layout included, if there are none", () => {
    const text = `<!-- saved -->\n${around("<graphics   type='vnc'></graphics>")}`;
    expect(withoutSecrets(text)).toBe(text);
  });

  test("has no comment either, in which a secret may be", () => {
    const text = around("<!-- passwd='swordfish' --><graphics type='vnc' passwd='swordfish'/>");
    expect(withoutSecrets(text)).not.toContain("swordfish");
  });

  test("is refused if the text is not well-formed, since it is not known where a secret ends", () => {
    expect(() => withoutSecrets("<domain><graphics passwd='swordfish'></domain>")).toThrow("XML");
  });
});
