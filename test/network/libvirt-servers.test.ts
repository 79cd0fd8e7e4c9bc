import { describe, expect, test } from "bun:test";
import { parseNetwork } from "../../src/network/document.ts";
import { formatServerFiles } from "../../src/network/server/configuration.ts";
import { hasRecorded, listRecorded, readIfRecorded, readRecorded, whySkipped } from "./recorded.ts";

const FOLDER = "networkxml2confdata";

/** Cases whose options svirt never passes to dnsmasq. */
const OTHERS: readonly string[] = ["dnsmasq-options"];

/** Returns the lines that dnsmasq reads. libvirt's test has no pid-file. */
function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "" && !/^(?:#|pid-file=)/.test(line));
}

describe.skipIf(!hasRecorded(FOLDER))(
  `servers of networks are configured as libvirt does${whySkipped(FOLDER)}`,
  () => {
    test("are there", () => expect(listRecorded(FOLDER, ".conf").length).toBeGreaterThan(0));

    test.each(listRecorded(FOLDER, ".conf").filter((name) => !OTHERS.includes(name)))("%s", (name) => {
      const network = parseNetwork(readRecorded(FOLDER, `${name}.xml`));
      const stem = `/var/lib/libvirt/dnsmasq/${network.name}`;
      const paths = {
        configuration: "configuration",
        pid: "pid",
        leases: "leases",
        dhcpHosts: `${stem}.hostsfile`,
        dnsHosts: `${stem}.addnhosts`,
      };
      const files = formatServerFiles(network, paths);
      expect(linesOf(files.get("configuration") ?? "")).toEqual(
        linesOf(readIfRecorded(FOLDER, `${name}.conf`) ?? ""),
      );
      const hosts = readIfRecorded(FOLDER, `${name}.hostsfile`);
      if (hosts !== undefined) expect(linesOf(files.get(paths.dhcpHosts) ?? "")).toEqual(linesOf(hosts));
    });
  },
);
