import { describe, expect, test } from "bun:test";
import { compileFilter } from "../../src/network/filter/compile-filter.ts";
import { formatWrittenFilter, parseFilterText } from "../../src/network/filter/document.ts";
import type { Filter } from "../../src/network/filter/filter-rule.ts";
import { collectRules, findBuiltIn } from "../../src/network/filter/instance.ts";
import { formatTapRules } from "../../src/network/filter/tap-rules.ts";
import { readFilter } from "../../src/network/filter/variables.ts";

const UUID = "5c6d49af-b071-6127-b4ec-6f8ed4b55335";
const filterXml = (content: string, attributes = ""): string =>
  `<filter name='f'${attributes}>${content}</filter>`;
const OUT = "<rule action='accept' direction='out'>";

const INCLUDED = "<filterref filter='no-mac-spoofing'/><filterref filter='no-ip-multicast'/>";
const IPV4_JUMP = "@ll,96,16 0x0800 jump out-ipv4";
const rule = (direction: string, priority: number): string =>
  `<rule action='drop' direction='${direction}' priority='${priority}'/>`;

/** Returns the rules of the chains of a filter's table, without those of the hooks. */
function rulesOf(xml: string, parameters: readonly (readonly [string, string])[] = []): readonly string[] {
  const compiled = compileFilter(parseFilterText(xml));
  const find = (name: string): Filter | undefined => (name === "f" ? compiled : findBuiltIn(name));
  const reference = { filter: "f", parameters: parameters.map(([name, value]) => ({ name, value })) };
  const { filters, rules, variables } = readFilter(
    reference,
    { mac: "52:54:00:00:00:0a", place: "/interface" },
    find,
  );
  const script = formatTapRules({
    table: "t",
    tap: "vnet0",
    filter: "f",
    variables,
    defined: { filters, rules },
  });
  return script
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "}" && line !== "" && !/^(?:add|delete|table|type) /.test(line));
}

describe("a defined filter becomes rules of nft", () => {
  // https://libvirt.org/formatnwfilter.html, and ebtablesCreateRuleInstance() of libvirt for what each
  // attribute compares
  test.each([
    ["<mac srcmacaddr='$MAC'/>", "@ll,48,48 0x52540000000a accept"],
    ["<mac match='no' srcmacaddr='$MAC'/>", "@ll,48,48 != 0x52540000000a accept"],
    [
      "<mac dstmacaddr='01:00:00:00:00:00' dstmacmask='01:00:00:00:00:00'/>",
      "@ll,0,48 & 0x010000000000 0x10000000000 accept",
    ],
    ["<mac protocolid='arp'/>", "@ll,96,16 0x0806 accept"],
    ["<mac match='no' protocolid='0x88CC'/>", "@ll,96,16 != 0x88cc accept"],
    ["<arp opcode='Reply'/>", "@ll,96,16 0x0806 @nh,48,16 2 accept"],
    ["<rarp opcode='Request_Reverse' hwtype='1'/>", "@ll,96,16 0x8035 @nh,0,16 1 @nh,48,16 3 accept"],
    [
      "<arp match='no' arpsrcipaddr='10.1.2.3' arpsrcipmask='255.255.255.0'/>",
      "@ll,96,16 0x0806 @nh,16,32 0x08000604 @nh,112,32 & 0xffffff00 != 0xa010200 accept",
    ],
    ["<ip srcipaddr='10.0.0.1' srcipmask='24'/>", "@ll,96,16 0x0800 ip saddr 10.0.0.1/24 accept"],
    [
      "<ip protocol='tcp' dstportstart='20' dstportend='23' dscp='4'/>",
      "@ll,96,16 0x0800 ip protocol 6 th dport 20-23 ip dscp 4 accept",
    ],
    [
      "<ip match='no' protocol='udp' srcportstart='68'/>",
      "@ll,96,16 0x0800 ip protocol != 17 th sport != 68 accept",
    ],
    // Decimal, as libvirt reads them; nft reads leading zeros as octal.
    ["<ip protocol='017' dscp='010'/>", "@ll,96,16 0x0800 ip protocol 17 ip dscp 10 accept"],
    ["<ipv6 protocol='08'/>", "@ll,96,16 0x86dd meta l4proto 8 accept"],
    ["<mac protocolid='02054'/>", "@ll,96,16 2054 accept"],
    [
      "<arp hwtype='01' protocoltype='02048' opcode='00010'/>",
      "@ll,96,16 0x0806 @nh,0,16 1 @nh,16,16 2048 @nh,48,16 10 accept",
    ],
    [
      "<ip protocol='tcp' srcportstart='010' srcipaddr='10.0.0.1' srcipmask='08'/>",
      "@ll,96,16 0x0800 ip saddr 10.0.0.1/8 ip protocol 6 th sport 10 accept",
    ],
    [
      "<ipv6 dstipaddr='FF00::' dstipmask='8' protocol='icmpv6'/>",
      "@ll,96,16 0x86dd ip6 daddr ff00::/8 meta l4proto 58 accept",
    ],
  ])("%s: %s", (header, expected) => {
    expect(rulesOf(filterXml(`${OUT}${header}</rule>`))).toEqual(["chain out {", expected]);
  });

  // ebiptablesCreateRuleInstance() of libvirt: in the chain of frames from the guest the two ends of an inout
  // rule are exchanged.
  test.each([
    ["<mac srcmacaddr='$MAC'/>", "@ll,0,48 0x52540000000a", "@ll,48,48 0x52540000000a"],
    ["<mac dstmacaddr='$MAC'/>", "@ll,48,48 0x52540000000a", "@ll,0,48 0x52540000000a"],
    ["<ip srcipaddr='10.0.0.1'/>", "ip daddr 10.0.0.1", "ip saddr 10.0.0.1"],
    ["<ip match='no' dstipaddr='10.0.0.1' dstipmask='8'/>", "saddr != 10.0.0.1/8", "daddr != 10.0.0.1/8"],
    ["<ip protocol='tcp' srcportstart='1' dstportstart='2'/>", "dport 1 th sport 2", "sport 1 th dport 2"],
    [
      "<ipv6 srcipaddr='fe80::1' dstipaddr='fe80::2'/>",
      "ip6 daddr fe80::1 ip6 saddr fe80::2",
      "saddr fe80::1",
    ],
    ["<arp arpsrcmacaddr='$MAC'/>", "@nh,144,48 0x52540000000a", "@nh,64,48 0x52540000000a"],
    ["<arp arpdstmacaddr='$MAC'/>", "@nh,64,48 0x52540000000a", "@nh,144,48 0x52540000000a"],
    ["<rarp arpsrcipaddr='10.0.0.1'/>", "@nh,192,32 0xa000001", "@nh,112,32 0xa000001"],
    ["<arp arpdstipaddr='10.0.0.1'/>", "@nh,112,32 0xa000001", "@nh,192,32 0xa000001"],
    ["<arp opcode='Request' hwtype='1'/>", "@nh,0,16 1 @nh,48,16 1", "@nh,0,16 1 @nh,48,16 1"],
  ])("%s in both directions: %s from the guest, %s to it", (header, from, to) => {
    const rules = rulesOf(filterXml(`<rule action='drop' direction='inout'>${header}</rule>`));
    expect(rules).toEqual([
      "chain out {",
      expect.stringContaining(from),
      "chain in {",
      expect.stringContaining(to),
    ]);
  });

  test("with the verdicts that libvirt gives frames, by priority, and by place among equals", () => {
    const actions = [
      ["return", 5],
      ["reject", 2],
      ["continue", 2],
      ["drop", -7],
    ] as const;
    const rules = actions.map(
      ([action, priority]) => `<rule action='${action}' direction='in' priority='${priority}'/>`,
    );
    expect(rulesOf(filterXml(rules.join("")))).toEqual([
      "chain in {",
      "counter drop",
      "counter drop",
      "continue",
      "return",
    ]);
  });

  test("with those of the filters that it includes, and chains of its own", () => {
    const included = "<filterref filter='no-mac-spoofing'/><filterref filter='no-ip-multicast'/>";
    expect(rulesOf(filterXml(included))).toEqual([
      ...["chain out {", "udp dport 67 jump out-dhcp", "jump out-mac", "@ll,96,16 0x0800 jump out-ipv4"],
      ...["chain out-mac {", "@ll,48,48 0x52540000000a return", "counter drop"],
      ...["chain out-ipv4 {", "@ll,96,16 0x0800 ip daddr 224.0.0.0/4 counter drop"],
      ...["chain out-dhcp {", "@th,72,16 0x0106 @th,288,48 0x52540000000a return", "counter drop"],
    ]);
    expect(
      rulesOf(filterXml("<rule action='drop' direction='out'/>", " chain='arp-mine' priority='-505'")),
    ).toEqual([
      ...["chain out {", "@ll,96,16 0x0806 jump out-arp-mine", "chain out-arp-mine {", "counter drop"],
    ]);
  });

  // virHashUpdateEntry() in ebiptablesApplyNewRules() of libvirt, for the rules of each direction in their
  // order
  test.each([
    ["after", `${INCLUDED}${rule("out", 1000)}`, [IPV4_JUMP, "jump out-mac"]],
    ["before", `${rule("out", 1)}${INCLUDED}${rule("in", 1000)}`, ["jump out-mac", IPV4_JUMP]],
  ])("with a chain at the place of its last rule: its own is %s the included ones", (_, content, jumps) => {
    const rules = rulesOf(filterXml(content, " chain='mac' priority='-100'"));
    expect(rules.slice(2, 4)).toEqual(jumps);
  });

  test("with each value of a variable, also with a mask", () => {
    const rule = `${OUT}<ip srcipaddr='$IP' srcipmask='24'/></rule>`;
    const values = [
      ["IP", "10.0.0.1"],
      ["IP", "10.0.1.1"],
    ] as const;
    expect(rulesOf(filterXml(rule), values)[1]).toContain("ip saddr { 10.0.0.1/24, 10.0.1.1/24 }");
  });

  // A rule for each value, as libvirt makes, would match every frame.
  test("but not with several values for a field that must differ", () => {
    const rule = "<rule action='drop' direction='out'><ip match='no' srcipaddr='$IP'/></rule>";
    const values = [
      ["IP", "10.0.0.1"],
      ["IP", "10.0.1.1"],
    ] as const;
    expect(rulesOf(filterXml(rule), values.slice(0, 1))[1]).toContain("ip saddr != 10.0.0.1 counter drop");
    expect(() => rulesOf(filterXml(rule), values)).toThrow("with IP, which has several values");
  });
});

describe("a filter", () => {
  test("is stored in libvirt's layout, with its defaults, in its order", () => {
    const rule =
      "<rule direction='out' action='drop'><ip srcipaddr='$IP' srcipmask='255.255.0.0' comment='c'/></rule>";
    const written = parseFilterText(
      filterXml(
        `${rule}<filterref filter='allow-arp'/><rule action='accept' direction='in'/>`,
        " chain='ipv4'",
      ),
    );
    const stored = formatWrittenFilter({ ...written, uuid: UUID });
    expect(stored).toBe(`<filter name='f' chain='ipv4' priority='-700'>
  <uuid>${UUID}</uuid>
  <rule action='drop' direction='out' priority='500'>
    <ip srcipaddr='$IP' srcipmask='16' comment='c'/>
  </rule>
  <filterref filter='allow-arp'/>
  <rule action='accept' direction='in' priority='500'/>
</filter>
`);
    expect(formatWrittenFilter({ ...parseFilterText(stored), uuid: UUID })).toBe(stored);
  });

  test.each([
    [`${OUT}<tcp dstportstart='22'/></rule>`, "/filter/rule/tcp"],
    [`${OUT}<all-ipv6/></rule>`, "/filter/rule/all-ipv6"],
    [`${OUT}<vlan vlanid='1'/></rule>`, "/filter/rule/vlan"],
    [`${OUT}<arp gratuitous='yes'/></rule>`, "/filter/rule/arp/@gratuitous"],
    [`${OUT}<ipv6 type='1'/></rule>`, "/filter/rule/ipv6/@type"],
    ["<rule action='accept' direction='out' statematch='false'/>", "/filter/rule/@statematch"],
    [`${OUT}<mac/><ip/></rule>`, "/filter/rule in line 1: a rule has one protocol"],
    [`${OUT}<ip srcipmask='24'/></rule>`, "/filter/rule/ip/@srcipmask"],
    [`${OUT}<ip dstportstart='22'/></rule>`, "/filter/rule/ip/@dstportstart"],
    [`${OUT}<ip protocol='tcp' dstportstart='9' dstportend='8'/></rule>`, "/filter/rule/ip/@dstportend"],
    [`${OUT}<ip srcipaddr='10.0.0.0' srcipmask='255.0.255.0'/></rule>`, "/filter/rule/ip/@srcipmask"],
    [`${OUT}<ip srcipaddr='$IP[0]'/></rule>`, "/filter/rule/ip/@srcipaddr"],
    [`${OUT}<ip srcipaddr='10.0.0.1; drop'/></rule>`, "/filter/rule/ip/@srcipaddr"],
    ["<filterref filter='a'><parameter name='IP' value='1'/></filterref>", "/filter/filterref/parameter"],
  ])("with %s is refused at %s", (content, place) => {
    expect(() => parseFilterText(filterXml(content))).toThrow(place);
  });

  test.each(["vlan", "ipv4 x", "ipv4-}", "arp.x", "no"])("of a chain %p is refused", (chain) => {
    expect(() => parseFilterText(filterXml("", ` chain='${chain}'`))).toThrow("/filter/@chain");
  });

  test("that includes itself, or too much, is not applied", () => {
    const find = (name: string): Filter => ({ entries: name === "a" ? ["b"] : ["a"] });
    expect(() => collectRules("a", find)).toThrow("filter would introduce a loop");
    const twice = (name: string): Filter => ({
      entries: name === "40" ? [] : [`${Number(name) + 1}`, `${Number(name) + 1}`],
    });
    expect(() => collectRules("0", twice)).toThrow("more than 2000 rules");
    const endless = (name: string): Filter => ({ entries: [`${Number(name) + 1}`] });
    expect(() => collectRules("0", endless)).toThrow("more than 2000 rules");
    expect(() => collectRules("a", (name) => (name === "a" ? { entries: ["b"] } : undefined))).toThrow(
      "referenced filter 'b' is missing",
    );
  });
});
