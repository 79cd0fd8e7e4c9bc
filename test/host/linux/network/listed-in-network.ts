// Program for filters.test.ts, in a separate network namespace. Prints as JSON the tables whose list by nft
// has another summary than svirt's script, how many were set, and those after nft flush ruleset.
import { listPacketRules, setPacketRules } from "../../../../src/host/linux/network/packet-rules.ts";
import { formatPacketRules } from "../../../../src/network/bridge/packet-rules.ts";
import { parseNetworkText } from "../../../../src/network/document.ts";
import { FILTERS } from "../../../../src/network/filter/filters.ts";
import { summarizeTables } from "../../../../src/network/filter/table-summary.ts";
import { filterTable, formatTapRules, limitTable } from "../../../../src/network/filter/tap-rules.ts";
import { filterOf, HEADERS, HEADERS_BOTH } from "./defined-rules.ts";

const UUID = "81ff0d90-c91e-6742-64da-4a736edb9acb";
const IP = "<ip address='10.8.0.1' prefix='24'/>";
const IPV6 = "<ip family='ipv6' address='fd00:8::1' prefix='64'/>";
const run = (...words: readonly string[]): void => void Bun.spawnSync([...words]);

const parametersOf = (filter: string) =>
  [
    ["IP", "10.8.0.1"],
    ["IP", "10.8.0.3"],
    ["ONE", "10.8.0.1"],
    ["IPV6", "fd00:8::7"],
    ["GATEWAY_MAC", "52:54:00:00:00:aa"],
    ["DHCPSERVER", filter.includes("v6") ? "fe80::1" : "10.8.0.254"],
  ].map(([name = "", value = ""]) => ({ name, value }));
run("ip", "tuntap", "add", "dev", "vnet0", "mode", "tap");
const scripts = [
  ...[...FILTERS.keys(), ...HEADERS, ...HEADERS_BOTH].map((filter, at) =>
    formatTapRules({
      table: `${filterTable(UUID, "vnet0")}_${at}`,
      ...filterOf({ filter, parameters: parametersOf(filter) }, "vnet0"),
    }),
  ),
  formatTapRules({
    table: limitTable(UUID, "vnet0"),
    tap: "vnet0",
    limit: { bytesPerSecond: 1000, burstBytes: 1024 },
  }),
  ...["nat", "route"].map((mode, at) => {
    const network = parseNetworkText(
      `<network><name>lan</name><forward mode='${mode}'/><bridge name='virbr0'/><mac address='52:54:00:00:00:01'/>${IP}${IPV6}</network>`,
    );
    return formatPacketRules(network, UUID.replace(/^./, String(at))) ?? "";
  }),
];
for (const script of scripts) await setPacketRules(script);
const wanted = scripts.flatMap((script) => [...summarizeTables(script)]);
const differing = async (): Promise<readonly string[]> => {
  const found = summarizeTables(await listPacketRules());
  return wanted.flatMap(([table, rules]) => (found.get(table) === rules ? [] : [table]));
};
const before = await differing();
// Elements of an administrator's set, which may be many thousands.
await setPacketRules(
  "table ip other {\n  set many {\n    type ipv4_addr\n    elements = { 192.0.2.77 }\n  }\n}\n",
);
const hasElements = (await listPacketRules()).includes("192.0.2.77");
run("/usr/sbin/nft", "flush", "ruleset");
process.stdout.write(
  JSON.stringify({ before, hasElements, set: wanted.length, after: (await differing()).length }),
);
