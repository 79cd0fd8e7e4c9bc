import { expect, test } from "bun:test";
import { summarizeTables } from "../../src/network/filter/table-summary.ts";

// Output of `nft list ruleset` of nftables 1.1.3, of a script with a chain of the same rules.
const LISTED = `table netdev svirt_1_vnet0 {
	chain out {
		type filter hook ingress device "vnet0" priority filter; policy accept;
		@ll,96,16 0x806 jump out-arp
		@ll,48,48 != 0x525400000001 counter packets 3 bytes 180 drop
	}

	chain out-arp {
		arp saddr ip { 10.0.0.1, 10.0.0.2 } return
		counter packets 0 bytes 0 drop
	}
}
table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
`;
const SCRIPT = `add table netdev svirt_1_vnet0
delete table netdev svirt_1_vnet0
table netdev svirt_1_vnet0 {
  chain out {
    type filter hook ingress device "vnet0" priority 0; policy accept;
    @ll,96,16 0x806 jump out-arp
    @ll,48,48 != 0x525400000001 counter drop
  }
  chain out-arp {
    arp saddr ip { 10.0.0.1, 10.0.0.2 } return
    counter drop
  }
}
`;

test("a script and the list of its tables have one summary", () => {
  const [own] = [...summarizeTables(SCRIPT)];
  expect(own).toEqual(["netdev svirt_1_vnet0", "out 2, out-arp 2"]);
  expect([...summarizeTables(LISTED)]).toEqual([own as [string, string], ["ip filter", "FORWARD 0"]]);
});

test.each([
  ["a rule is missing", LISTED.replace(/.*counter packets 0.*\n/, "")],
  ["a chain is missing", LISTED.replace(/\tchain out-arp[^}]*\}[^}]*\}\n/, "")],
  ["a rule is added", LISTED.replace("\tchain out {", "\tchain out {\n\t\taccept")],
  ["the chains are empty", LISTED.replace(/\t\t(?!type).*\n/g, "")],
])("the summary is another one if %s", (_, listed) => {
  const own = summarizeTables(SCRIPT).get("netdev svirt_1_vnet0");
  expect(summarizeTables(listed).get("netdev svirt_1_vnet0")).not.toBe(own);
});
