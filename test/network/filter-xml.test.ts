import { describe, expect, test } from "bun:test";
import { findFilter, getFilterXml, listFilters } from "../../src/vm/network/filter-list.ts";
import { makeMachine, nodeOn } from "../scenes/scene.ts";

const node = nodeOn(makeMachine());
const xmlOf = (name: string): string => getFilterXml(node, findFilter(node, "name", name).uuid);
const withoutUuid = (xml: string): string => xml.replace(/ {2}<uuid>.*<\/uuid>\n/, "");

// The meaning of libvirt's files src/nwfilter/xml/NAME.xml, in the form of virNWFilterDefFormat().
describe("a filter is shown", () => {
  test.each([
    [
      "no-ip-spoofing",
      `<filter name='no-ip-spoofing' chain='ipv4-ip' priority='-710'>
  <rule action='return' direction='out' priority='100'>
    <ip srcipaddr='0.0.0.0' protocol='udp'/>
  </rule>
  <rule action='return' direction='out' priority='500'>
    <ip srcipaddr='$IP'/>
  </rule>
  <rule action='drop' direction='out' priority='1000'/>
</filter>
`,
    ],
    [
      "qemu-announce-self",
      `<filter name='qemu-announce-self' chain='root'>
  <rule action='accept' direction='out' priority='500'>
    <mac protocolid='0x0835'/>
  </rule>
  <filterref filter='qemu-announce-self-rarp'/>
  <filterref filter='no-other-rarp-traffic'/>
</filter>
`,
    ],
    [
      "allow-dhcpv6-server",
      `<filter name='allow-dhcpv6-server' chain='ipv6' priority='-600'>
  <rule action='accept' direction='out' priority='100'>
    <ipv6 protocol='udp' srcipaddr='fe80::' srcipmask='10' dstipaddr='ff02::1:2' srcportstart='546' dstportstart='547'/>
  </rule>
  <rule action='accept' direction='in' priority='100'>
    <ipv6 protocol='udp' srcipaddr='$DHCPSERVER' srcportstart='547' dstportstart='546'/>
  </rule>
</filter>
`,
    ],
    [
      "no-arp-mac-spoofing",
      `<filter name='no-arp-mac-spoofing' chain='arp-mac' priority='-520'>
  <rule action='return' direction='out' priority='350'>
    <arp arpsrcmacaddr='$MAC'/>
  </rule>
  <rule action='drop' direction='out' priority='1000'/>
</filter>
`,
    ],
  ])("%s", (name, expected) => {
    expect(withoutUuid(xmlOf(name))).toBe(expected);
  });

  test("with all fields of an announcement by RARP", () => {
    expect(xmlOf("qemu-announce-self-rarp")).toContain(
      "<rarp srcmacaddr='$MAC' dstmacaddr='ff:ff:ff:ff:ff:ff' opcode='Request_Reverse' " +
        "arpsrcmacaddr='$MAC' arpdstmacaddr='$MAC' arpsrcipaddr='0.0.0.0' arpdstipaddr='0.0.0.0'/>",
    );
  });

  test("under a UUID of its own, which names it as well", () => {
    const filters = listFilters(node);
    expect(new Set(filters.map(({ uuid }) => uuid)).size).toBe(filters.length);
    for (const { name, uuid } of filters) {
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(findFilter(node, "uuid", uuid).name).toBe(name);
    }
  });

  test("and one that does not exist is not found", () => {
    expect(() => findFilter(node, "name", "none")).toThrow(
      "Network filter not found: no nwfilter with matching name 'none'",
    );
  });
});
