import { SvirtError } from "../../errors.ts";
import { hasOwnBridge } from "../../network/forms/mode-rules.ts";
import type { Network } from "../../network/forms/network.ts";
import { formatServerFiles, type ServerPaths, serverPaths } from "../../network/server/configuration.ts";
import { needsServer } from "../../network/server/needs-server.ts";
import type { Instance } from "../instance.ts";

const PROGRAM = "/usr/sbin/dnsmasq";
/** A guest has one lease for each hardware address. It could invent client identifiers, and a filter does not read those. dnsmasq(8) */
const ONE_LEASE = "--dhcp-ignore-clid";
/** The server gives up root, and reads its files again afterwards: other users may read them. */
const [FOLDER_MODE, FILE_MODE] = [0o755, 0o644];

/** A network and its UUID, which names its server's folder. */
interface Served {
  readonly network: Network;
  readonly uuid: string;
}

/**
 * Returns whether a network has a DHCP and DNS server. As with libvirt, each network with an address has one; without dnsmasq on
 * the host, those that need it are refused and others have none. Throws "unsupported". networkStartNetworkVirtual() of libvirt
 */
export function hasServer({ host }: Instance, network: Network): boolean {
  if (!hasOwnBridge(network) || network.ips.length === 0) return false;
  if (host.inspectFile(PROGRAM) !== undefined) return true;
  if (!needsServer(network)) return false;
  throw new SvirtError(
    `Cannot start the network '${network.name}': its DHCP and DNS server is not installed`,
    {
      kind: "unsupported",
      remedy: `Install dnsmasq-base, which has ${PROGRAM}; or leave <dhcp>, <dns>, <domain> and <tftp> out.`,
    },
  );
}

/** Starts the server of a network, after the end of an earlier one. The leases of an earlier one apply. Throws "failed". */
export async function startServer(instance: Instance, { network, uuid }: Served): Promise<void> {
  const { host } = instance;
  const paths = pathsOf(instance, uuid);
  await host.endDaemon(argumentOf(paths));
  makeServerFolder(instance, uuid);
  for (const [path, text] of formatServerFiles(network, paths)) host.writeVolatile(path, text, FILE_MODE);
  await host.spawnDaemon([PROGRAM, argumentOf(paths), `--dhcp-leasefile=${paths.leases}`, ONE_LEASE]);
}

/** Starts the server of a network again if it has ended, or has other files than the network. Does nothing for one without a server. */
export async function refreshServer(instance: Instance, served: Served): Promise<void> {
  if (!hasServer(instance, served.network)) return;
  const { host } = instance;
  const paths = pathsOf(instance, served.uuid);
  const files = [...formatServerFiles(served.network, paths)];
  const isCurrent = files.every(([path, text]) => host.readText(path) === text);
  if (!isCurrent || !host.hasDaemon(argumentOf(paths))) await startServer(instance, served);
}

/**
 * Refuses a configuration that the server would not start with, while an earlier one runs. Throws "failed" with the server's message;
 * "unsupported" if the network needs a server that is missing. dnsmasq(8), --test
 */
export async function testServer(instance: Instance, { network, uuid }: Served): Promise<void> {
  if (!hasServer(instance, network)) return;
  const { host } = instance;
  const paths = pathsOf(instance, uuid);
  const tested = `${folderOf(instance, uuid)}/tested.conf`;
  makeServerFolder(instance, uuid);
  try {
    host.writeVolatile(tested, formatServerFiles(network, paths).get(paths.configuration) ?? "", FILE_MODE);
    await host.spawnDaemon([PROGRAM, "--test", `--conf-file=${tested}`]);
  } finally {
    host.removeFile(tested);
  }
}

function makeServerFolder(instance: Instance, uuid: string): void {
  const { host } = instance;
  host.makeFolder({ path: serversFolder(instance), mode: FOLDER_MODE });
  host.makeFolder({ path: folderOf(instance, uuid), mode: FOLDER_MODE });
}

/** Ends the server of a network and removes its files. A missing one is no error. */
export async function endServer(instance: Instance, uuid: string): Promise<void> {
  const { host } = instance;
  const folder = folderOf(instance, uuid);
  if (host.inspectFile(folder) === undefined) return;
  await host.endDaemon(argumentOf(pathsOf(instance, uuid)));
  host.removeFolder(folder);
}

/** Returns the text of the server's file of leases; empty without a server. */
export function readLeases(instance: Instance, uuid: string): string {
  return instance.host.readText(pathsOf(instance, uuid).leases) ?? "";
}

/** Returns whether the server of a network runs. */
export function isServerRunning(instance: Instance, uuid: string): boolean {
  return instance.host.hasDaemon(argumentOf(pathsOf(instance, uuid)));
}

/** Identifies the process of a server. */
function argumentOf({ configuration }: ServerPaths): string {
  return `--conf-file=${configuration}`;
}

function pathsOf(instance: Instance, uuid: string): ServerPaths {
  return serverPaths(folderOf(instance, uuid));
}

function folderOf(instance: Instance, uuid: string): string {
  return `${serversFolder(instance)}/${uuid}`;
}

/** Beside svirt's own folder, which other users may not search. */
function serversFolder({ paths }: Instance): string {
  return `${paths.run}-networks`;
}
