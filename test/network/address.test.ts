import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { sizeOf } from "../../src/network/address/address-range.ts";
import { problemInNetwork } from "../../src/network/address/dhcp-range.ts";
import { canonicalAddress, formatAddress, numberOf } from "../../src/network/address/ip-address.ts";
import {
  broadcastOf,
  netmaskOf,
  networkOf,
  prefixOf,
  reverseDomain,
} from "../../src/network/address/subnet.ts";

describe("an IP address", () => {
  // RFC 5952, 4; RFC 4291, 2.2; the notation of inet_ntop(3)
  test.each([
    ["192.168.122.1", "192.168.122.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ])("%s is written %s", (text, expected) => {
    expect(canonicalAddress(text)).toBe(expected);
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.256",
    "1.2.3.4.5",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "g::",
    "::1.2.3",
    "1.2.3.4::",
    "1:2:3:4:5:6:7::8:9",
    " 1.2.3.4",
  ])("%p is refused", (text) => {
    expect(canonicalAddress(text)).toBeUndefined();
  });

  test("is the same number when written and read, of either family", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 128n) - 1n), fc.integer({ min: 0, max: 112 }), (value, shift) => {
        const number = value >> BigInt(shift);
        expect(numberOf(formatAddress("ipv6", number))).toBe(number);
        expect(numberOf(formatAddress("ipv4", number & 0xffff_ffffn))).toBe(number & 0xffff_ffffn);
      }),
    );
  });

  test("is read as the platform's URL reads it", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        // bun refuses some that inet_pton(3) reads: "::0:0:0:0:0.0.0.0".
        fc.pre(URL.canParse(`http://[${text}]`));
        const written = canonicalAddress(text) ?? "";
        expect(new URL(`http://[${written}]`).hostname).toBe(new URL(`http://[${text}]`).hostname);
      }),
    );
  });
});

describe("a subnet", () => {
  test.each([
    [{ address: "10.0.0.1" }, 8],
    [{ address: "172.16.0.1" }, 16],
    [{ address: "192.168.0.1" }, 24],
    [{ address: "224.0.0.1" }, undefined],
    [{ address: "0.0.0.0" }, 0],
    [{ address: "2001:db8::1" }, 64],
    [{ address: "192.168.0.1", prefix: 20 }, 20],
    [{ address: "192.168.0.1", netmask: "255.255.240.0" }, 20],
    [{ address: "192.168.0.1", netmask: "255.255.255.255" }, 32],
    [{ address: "192.168.0.1", netmask: "255.0.255.0" }, undefined],
  ])("%p has prefix %p", (ip, prefix) => {
    expect(prefixOf(ip)).toBe(prefix);
  });

  test("has a netmask, a network address and a broadcast address", () => {
    expect([0, 20, 24, 32].map(netmaskOf)).toEqual([
      "0.0.0.0",
      "255.255.240.0",
      "255.255.255.0",
      "255.255.255.255",
    ]);
    expect(networkOf("192.168.122.77", 24)).toBe("192.168.122.0");
    expect(networkOf("2001:db8:1:2:3::4", 64)).toBe("2001:db8:1:2::");
    expect(broadcastOf("192.168.122.77", 20)).toBe("192.168.127.255");
  });

  test.each([
    ["192.168.122.1", 24, "122.168.192.in-addr.arpa"],
    ["10.1.2.3", 8, "10.in-addr.arpa"],
    ["10.1.2.3", 20, undefined],
    ["10.1.2.3", 32, undefined],
    ["2001:db8:ac10::1", 32, "8.b.d.0.1.0.0.2.ip6.arpa"],
    ["2001:db8:ac10::1", 33, undefined],
  ])("%s/%p has the reverse domain %p", (address, prefix, domain) => {
    expect(reverseDomain(address, prefix)).toBe(domain);
  });

  test("counts the addresses of a range, and names the address outside", () => {
    expect(sizeOf({ start: "192.168.122.2", end: "192.168.122.254" })).toBe(253);
    expect(sizeOf({ start: "2001:db8::10", end: "2001:db8::ff" })).toBe(240);
    const ip = { address: "192.168.122.1", prefix: 24 };
    expect(problemInNetwork({ start: "192.168.122.2", end: "192.168.122.254" }, ip)).toBeUndefined();
    expect(problemInNetwork({ start: "192.168.122.2", end: "192.168.123.9" }, ip)).toContain("192.168.123.9");
  });
});
