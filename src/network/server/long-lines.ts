import type { Network } from "../forms/network.ts";
import { formatServerFiles, serverPaths } from "./configuration.ts";

/**
 * Most bytes of a line without its end. dnsmasq reads the rest of a longer line as a line of its own, which
 * may be another option: `dhcp-script` runs a program as root. MAXDNAME of dnsmasq, and read_file()
 */
const MOST_BYTES = 1023;

/** Elements with lines of the configuration. */
const ELEMENTS: ReadonlyMap<string, string> = new Map([
  ["dhcp-boot", "ip/dhcp/bootp"],
  ["srv-host", "dns/srv"],
  ["tftp-root", "ip/tftp"],
  ["txt-record", "dns/txt"],
]);

/** Lists the elements, below `<network>`, that have a longer text than a line of dnsmasq. */
export function listLongLines(network: Network): readonly string[] {
  const paths = serverPaths("/run");
  const { configuration, dhcpHosts } = paths;
  const files = formatServerFiles(network, paths);
  const hosts = longIn(files.get(dhcpHosts)).map(() => "ip/dhcp/host");
  const others = longIn(files.get(configuration)).map(
    (line) => ELEMENTS.get(line.split("=")[0] ?? "") ?? "dns",
  );
  return [...new Set([...others, ...hosts])];
}

function longIn(text = ""): readonly string[] {
  return text.split("\n").filter((line) => new TextEncoder().encode(line).length > MOST_BYTES);
}
