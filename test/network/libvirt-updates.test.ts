import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../src/errors.ts";
import { formatNetwork, parseNetwork } from "../../src/network/document.ts";
import type { UpdateCommand } from "../../src/network/edits/lists.ts";
import { type UpdateSection, updateNetwork } from "../../src/network/edits/update.ts";
import { attempt } from "../qemu/recorded.ts";
import { hasRecorded, readIfRecorded, readRecorded, whySkipped } from "./recorded.ts";

/** Section, command, entry, network, and the network after it; undefined: libvirt refuses the edit. */
type Case = readonly [UpdateSection, UpdateCommand, string, string, string | undefined];

// The cases of tests/networkxml2xmlupdatetest.c of libvirt, which exchanges the index with the flags: each
// index is 0.
const CASES: readonly Case[] = [
  ["ip-dhcp-host", "add-last", "host-incomplete", "nat-network", undefined],
  ["ip-dhcp-host", "add-last", "host-new-incomplete", "nat-network", undefined],
  ["ip-dhcp-host", "add-last", "host-existing", "nat-network", undefined],
  ["ip-dhcp-host", "add-last", "host-new", "nat-network", "nat-network-hosts"],
  ["ip-dhcp-host", "modify", "host-new", "nat-network", undefined],
  ["ip-dhcp-host", "modify", "host-incomplete", "nat-network", undefined],
  ["ip-dhcp-host", "modify", "host-updated", "nat-network", "nat-network-host-updated"],
  ["ip-dhcp-host", "delete", "host-incomplete", "nat-network", "nat-network-one-host"],
  ["ip-dhcp-host", "delete", "host-existing", "nat-network", "nat-network-one-host"],
  ["ip-dhcp-host", "delete", "host-new", "nat-network", undefined],
  ["ip-dhcp-range", "add-first", "dhcp-range", "dhcp6host-routed-network", "dhcp6host-routed-network-range"],
  ["ip-dhcp-range", "add-first", "dhcp-range-10", "dhcp6host-routed-network", undefined],
  [
    "ip-dhcp-range",
    "add-last",
    "dhcp-range",
    "dhcp6host-routed-network",
    "dhcp6host-routed-network-another-range",
  ],
  ["ip-dhcp-range", "delete", "dhcp-range-existing", "nat-network", "nat-network-no-range"],
  ["ip-dhcp-range", "delete", "dhcp-range", "nat-network", undefined],
  [
    "forward-interface",
    "add-first",
    "interface-eth47",
    "nat-network-dns-srv-record",
    "nat-network-forward-ifaces",
  ],
  [
    "forward-interface",
    "delete",
    "interface-eth1",
    "nat-network-dns-srv-record",
    "nat-network-no-forward-ifaces",
  ],
  ["forward-interface", "delete", "interface-eth47", "nat-network-dns-srv-record", undefined],
  ["portgroup", "add-first", "portgroup-alison", "openvswitch-net", "openvswitch-net-more-portgroups"],
  ["portgroup", "add-last", "portgroup-alice-new", "openvswitch-net", undefined],
  ["portgroup", "modify", "portgroup-alice-new", "openvswitch-net", "openvswitch-net-modified"],
  ["portgroup", "modify", "portgroup-alison", "openvswitch-net", undefined],
  ["portgroup", "delete", "portgroup-alice-new", "openvswitch-net", "openvswitch-net-without-alice"],
  ["portgroup", "delete", "portgroup-alice-new", "nat-network-dns-srv-record", undefined],
  ["dns-host", "add-first", "dns-host-gateway-incomplete", "nat-network-dns-hosts", undefined],
  ["dns-host", "add-first", "dns-host-pudding", "nat-network-dns-hosts", "nat-network-dns-more-hosts"],
  ["dns-host", "delete", "unparsable-dns-host", "nat-network", undefined],
  ["dns-host", "delete", "dns-host-gateway-incomplete", "nat-network-dns-hosts", "nat-network-no-hosts"],
  ["dns-host", "modify", "dns-host-modify", "nat-network-dns-hosts", "nat-network-dns-hosts-modified"],
  ["dns-host", "modify", "dns-host-modify-not-existing", "nat-network-dns-hosts", undefined],
  [
    "dns-txt",
    "add-first",
    "dns-txt-record-snowman",
    "nat-network-dns-txt-record",
    "nat-network-dns-txt-records",
  ],
  ["dns-txt", "add-last", "dns-txt-record-example", "nat-network-dns-txt-record", undefined],
  ["dns-txt", "delete", "dns-txt-record-example", "nat-network-dns-txt-record", "nat-network-dns-txt-none"],
  ["dns-txt", "delete", "dns-txt-record-snowman", "nat-network-dns-txt-record", undefined],
  [
    "dns-txt",
    "modify",
    "dns-txt-record-modify-success",
    "nat-network-dns-txt-record",
    "nat-network-dns-txt-modify-ok",
  ],
  ["dns-txt", "modify", "dns-txt-record-modify-fail", "nat-network-dns-txt-record", undefined],
  ["dns-srv", "add-first", "srv-record", "nat-network", "nat-network-dns-srv-record"],
  ["dns-srv", "add-last", "srv-record", "nat-network", "nat-network-dns-srv-record"],
  ["dns-srv", "add-last", "srv-record", "nat-network-dns-srv-record", undefined],
  ["dns-srv", "add-last", "srv-record-donkey", "nat-network-dns-srv-record", "nat-network-dns-srv-records"],
  ["dns-srv", "delete", "srv-record-service", "nat-network", undefined],
  ["dns-srv", "delete", "srv-record-invalid", "nat-network-dns-srv-record", undefined],
  ["dns-srv", "delete", "srv-record-donkey", "nat-network-dns-srv-records", "nat-network-dns-srv-record"],
  ["dns-srv", "delete", "srv-record-service", "nat-network-dns-srv-records", undefined],
  ["dns-srv", "delete", "srv-record-protocol", "nat-network-dns-srv-record", "nat-network"],
];

/** Results that the real libvirt refuses, since it reads a network again after an edit; its test does not. */
const UNREADABLE = new Map([["nat-network-forward-ifaces", "a network of mode nat forwards to one device"]]);

const FOLDER = "networkxml2xmlupdatein";

describe.skipIf(!hasRecorded(FOLDER))(
  `networks are edited as libvirt edits them, or the edit is refused${whySkipped(FOLDER)}`,
  () => {
    test.each(CASES)("%s %s %s in %s gives %s", (...found) => {
      const [section, command, entry, name, result] = found;
      const before = parseNetwork(readRecorded("networkxml2xmlin", `${name}.xml`));
      const update = { section, command, entry: readRecorded(FOLDER, `${entry}.xml`), parentIndex: 0 };
      const ours = attempt(() => formatNetwork(updateNetwork(before, update, new Map())));
      const unreadable = UNREADABLE.get(result ?? "");
      if (result === undefined) expect(ours).toBeInstanceOf(SvirtError);
      else if (unreadable !== undefined) expect(String(ours)).toContain(unreadable);
      else expect(ours).toBe(readIfRecorded("networkxml2xmlupdateout", `${result}.xml`) ?? "");
    });
  },
);
