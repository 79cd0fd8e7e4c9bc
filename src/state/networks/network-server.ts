import { SvirtError } from "../../errors.ts";
import { hasOwnBridge } from "../../network/forms/mode-rules.ts";
import type { Network } from "../../network/forms/network.ts";
import { formatServerFiles, type ServerPaths, serverPaths } from "../../network/server/configuration.ts";
import { needsServer } from "../../network/server/needs-server.ts";
import type { Step, StepOf } from "../../plan/steps/step.ts";
import type { Instance } from "../instance.ts";

const PROGRAM = "/usr/sbin/dnsmasq";
/**
 * A guest has one lease for each hardware address. It could invent client identifiers, and a filter does not
 * read those. dnsmasq(8)
 */
const ONE_LEASE = "--dhcp-ignore-clid";

/** A network and its UUID, the name of its server's folder. */
interface Served {
  readonly network: Network;
  readonly uuid: string;
}

/**
 * Returns whether a network has a DHCP and DNS server. As with libvirt, each network with an address has a
 * server. Without dnsmasq on the host, networks in need of it are refused and others have none. Throws
 * "unsupported". networkStartNetworkVirtual() of libvirt
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

/** Returns the step that starts the server of a network, after the end of an earlier one. */
export function serverStep(instance: Instance, { network, uuid }: Served): StepOf<"start-server"> {
  const paths = pathsOf(instance, uuid);
  const files = [...formatServerFiles(network, paths)].map(([path, text]) => ({ path, text }));
  const before = files.flatMap(({ path }) => {
    const text = instance.host.readText(path);
    return text === undefined ? [] : [{ path, text }];
  });
  return {
    do: "start-server",
    network: network.name,
    folder: folderOf(instance, uuid),
    above: serversFolder(instance),
    command: [PROGRAM, argumentOf(paths), `--dhcp-leasefile=${paths.leases}`, ONE_LEASE],
    files,
    ...(before.length === files.length ? { before } : {}),
  };
}

/**
 * Returns the steps that start the server of an active network again if it has ended, or has other files than
 * the network. None for a network without a server.
 */
export function refreshSteps(instance: Instance, served: Served): readonly Step[] {
  if (!hasServer(instance, served.network)) return [];
  const start = serverStep(instance, served);
  const { host } = instance;
  const isCurrent = start.files.every(({ path, text }) => host.readText(path) === text);
  return isCurrent && host.hasDaemon(start.command[1]) ? [] : [start];
}

/**
 * Returns the step that refuses a configuration that the server would not start with, while an earlier one
 * runs; none for a network without a server. Throws "unsupported" if the network needs a server that is
 * missing.
 */
export function testSteps(instance: Instance, { network, uuid }: Served): readonly Step[] {
  if (!hasServer(instance, network)) return [];
  const paths = pathsOf(instance, uuid);
  const folder = folderOf(instance, uuid);
  const text = formatServerFiles(network, paths).get(paths.configuration) ?? "";
  return [
    {
      do: "test-server",
      network: network.name,
      program: PROGRAM,
      folder,
      above: serversFolder(instance),
      file: { path: `${folder}/tested.conf`, text },
    },
  ];
}

/** Returns the step that ends the server of a network and removes its files. */
export function endServerStep(
  instance: Instance,
  { name, uuid }: { readonly name: string; readonly uuid: string },
): StepOf<"end-server"> {
  return {
    do: "end-server",
    network: name,
    folder: folderOf(instance, uuid),
    argument: argumentOf(pathsOf(instance, uuid)),
  };
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

/** Beside svirt's own folder, closed to other users. */
function serversFolder({ paths }: Instance): string {
  return `${paths.run}-networks`;
}
