import { hostPciName } from "../../../domain/forms/host-pci.ts";
import type { NetworkSource } from "../../../domain/forms/source/disk.ts";
import type { ImageHost } from "../../../domain/forms/source/network.ts";
import type { LaunchPeer } from "../../launch.ts";
import { cannotTranslate, hostDependent, notStartable } from "../../refusal.ts";
import type { ImagePlace } from "./chain.ts";
import { DEFAULT_PORTS } from "./default-image.ts";

type Json = Readonly<Record<string, unknown>>;

/** An image whose source is neither a file nor a device, and the path of its `<source>` for a refusal. */
interface RemoteImage {
  readonly place: Exclude<ImagePlace, { readonly type: "file" | "block" | "vhostvdpa" }>;
  readonly path: string;
  /** Socket of nbdkit, for a source without support in QEMU. */
  readonly nbdkitSocket?: string;
  /** Connection to the server, if opened by svirt. */
  readonly peer?: LaunchPeer | undefined;
  /** Keys naming its secrets. Without them, a source with a secret is refused. */
  readonly secrets?: SourceSecrets | undefined;
}

interface SourceSecrets {
  readonly login: Json;
  readonly encryption: Json;
}

/**
 * Returns the -blockdev keys for an image's location, QEMU's driver first.
 * qemuBlockStorageSourceGetBackendProps() of libvirt. Throws "unsupported" for a source that needs a secret,
 * a helper or a look-up on the host.
 */
export function remoteSource({ place, path, nbdkitSocket, peer, secrets }: RemoteImage): Json {
  switch (place.type) {
    case "network":
      if (nbdkitSocket !== undefined && needsNbdkit(place.source)) {
        return { driver: "nbd", server: { type: "unix", path: nbdkitSocket } };
      }
      if (peer !== undefined && place.source.protocol === "nbd") {
        return { driver: "nbd", server: { type: "fd", str: peer.name }, export: place.source.name };
      }
      return networkKeys(place.source, path, secrets);
    case "nvme": {
      const { address, namespace } = place.source;
      return { driver: "nvme", device: hostPciName(address), namespace };
    }
    case "volume":
      throw hostDependent(
        path,
        "svirt does not support storage pools yet",
        "Write the path of the volume's file or device.",
      );
    case "dir":
      throw hostDependent(
        path,
        "svirt does not present a folder as a disk",
        "Create an image of the folder.",
      );
  }
}

/**
 * Whether only nbdkit can open the source: QEMU's SSH driver supports no keys, known hosts or passwords.
 * libvirt refuses these without nbdkit. qemuValidateDomainDeviceDefDisk…() and qemuNbdkitInitStorageSource()
 * of libvirt
 */
function needsNbdkit(source: NetworkSource): boolean {
  if (source.protocol !== "ssh") return false;
  const { auth, identity, knownHosts } = source;
  return [auth, knownHosts, identity?.keyfile, identity?.agentsock].some((found) => found !== undefined);
}

function networkKeys(source: NetworkSource, path: string, secrets: SourceSecrets | undefined): Json {
  refuseSecrets(source, path, secrets);
  const { encryption, login } = secrets ?? { encryption: {}, login: {} };
  switch (source.protocol) {
    case "nbd": {
      if (source.tls === true) {
        const why = "the certificates depend on settings of the host";
        throw notStartable(`${path}/@tls`, why, "Write tls='no'.");
      }
      const server = socketAddress(onlyHost(source, path), source, path);
      return { driver: "nbd", server, export: source.name, "reconnect-delay": source.reconnect?.delay };
    }
    case "rbd":
      return { ...rbdKeys(source, path), ...encryption, ...login };
    case "iscsi":
      return { ...iscsiKeys(source, path), ...login };
    case "http":
    case "https":
    case "ftp":
    case "ftps":
      return { ...webKeys(source, path), ...login };
    case "ssh":
      return sshKeys(source, path);
    case "gluster": {
      const [volume, file] = splitName(source.name, path);
      const server = source.hosts.map((host) => socketAddress(host, source, path));
      return { driver: "gluster", volume, path: file, server, debug: GLUSTER_DEBUG };
    }
    case "nfs":
      return nfsKeys(source, path);
  }
}

/** Default of gluster_debug_level in libvirt's qemu.conf. */
const GLUSTER_DEBUG = 4;

/** Refuses a source with a secret not passed by the caller. */
function refuseSecrets(source: NetworkSource, path: string, secrets: SourceSecrets | undefined): void {
  const names = secrets === undefined ? ["auth", "encryption", "cookies"] : ["cookies"];
  const place = names.find((name) => name in source);
  if (place === undefined) return;
  const why = "svirt does not pass this secret to QEMU";
  throw notStartable(`${path}/${place}`, why, "Leave it out, and use a source without authentication.");
}

type Protocol<P extends NetworkSource["protocol"]> = Extract<NetworkSource, { readonly protocol: P }>;

function rbdKeys({ name, hosts, snapshot, config, protocol }: Protocol<"rbd">, path: string): Json {
  const [pool, image] = splitName(name, path);
  if (image.includes("/")) {
    throw cannotTranslate(
      `${path}/@name`,
      "RBD namespaces are not supported",
      "Write the name as pool/image.",
    );
  }
  const server = hosts.map((host) => inetAddress(host, protocol, path));
  return {
    driver: "rbd",
    pool,
    image,
    snapshot: snapshot?.name,
    conf: config?.file,
    server: server.length === 0 ? undefined : server,
  };
}

function iscsiKeys(source: Protocol<"iscsi">, path: string): Json {
  const { host, port } = inetAddress(onlyHost(source, path), source.protocol, path);
  const [target = "", lun = "0"] = source.name.split(/\/(.*)/s);
  if (!/^\d{1,9}$/.test(lun)) {
    throw cannotTranslate(
      `${path}/@name`,
      `"${lun}" must be the number of a logical unit`,
      "Write a number after the slash.",
    );
  }
  return {
    driver: "iscsi",
    portal: `${bracketed(host)}:${port}`,
    target,
    lun: Number(lun),
    transport: "tcp",
    "initiator-name": source.initiator?.iqn.name,
  };
}

function webKeys(source: Protocol<"http" | "https" | "ftp" | "ftps">, path: string): Json {
  const { host, port } = inetAddress(onlyHost(source, path), source.protocol, path);
  const name = source.name ?? "";
  if (!/^[-A-Za-z0-9_.~/]*$/.test(name)) {
    throw cannotTranslate(
      `${path}/@name`,
      "the name has characters that a URL escapes",
      "Use only letters, digits and - . _ ~ /",
    );
  }
  const query = "query" in source && source.query !== undefined ? `?${source.query}` : "";
  return {
    driver: source.protocol,
    url: `${source.protocol}://${bracketed(host)}:${port}${name.startsWith("/") ? "" : "/"}${name}${query}`,
    sslverify: "ssl" in source ? source.ssl?.verify : undefined,
    timeout: source.timeout?.seconds,
    readahead: source.readahead?.size,
  };
}

function sshKeys(source: Protocol<"ssh">, path: string): Json {
  const server = inetAddress(onlyHost(source, path), source.protocol, path);
  return { driver: "ssh", path: source.name, server, user: source.identity?.username };
}

function nfsKeys(source: Protocol<"nfs">, path: string): Json {
  const { name: host } = namedHost(onlyHost(source, path), source.protocol, path);
  const { user, group } = source.identity ?? {};
  const numberOf = (text: string | undefined, place: string): number => {
    if (text !== undefined && /^\+?\d{1,9}$/.test(text)) return Number(text);
    throw hostDependent(`${path}/identity/@${place}`, "svirt does not resolve names", "Write a number.");
  };
  return {
    driver: "nfs",
    server: { host, type: "inet" },
    path: source.name,
    user: numberOf(user, "user"),
    group: numberOf(group, "group"),
  };
}

function onlyHost({ protocol, hosts }: NetworkSource, path: string): ImageHost {
  const [host] = hosts;
  if (host !== undefined && hosts.length === 1) return host;
  throw cannotTranslate(
    `${path}/host`,
    `${protocol} requires one host instead of ${hosts.length}`,
    "Write one <host name='…'/>.",
  );
}

function socketAddress(host: ImageHost, { protocol }: NetworkSource, path: string): Json {
  if (host.transport === "unix") return { type: "unix", path: host.socket };
  return { type: "inet", ...inetAddress(host, protocol, path) };
}

function inetAddress(
  host: ImageHost,
  protocol: NetworkSource["protocol"],
  path: string,
): { readonly host: string; readonly port: string } {
  const { name, port = DEFAULT_PORTS.get(protocol) } = namedHost(host, protocol, path);
  if (port !== undefined) return { host: name, port: String(port) };
  throw cannotTranslate(`${path}/host/@port`, `${protocol} has no default port`, "Write the port.");
}

function namedHost(
  host: ImageHost,
  protocol: NetworkSource["protocol"],
  path: string,
): Exclude<ImageHost, { readonly transport: "unix" }> {
  if (host.transport !== "unix") return host;
  throw cannotTranslate(`${path}/host/@transport`, `${protocol} requires TCP`, "Write name='…'.");
}

/** Splits "pool/image". virDomainDiskSourceNetworkParse() of libvirt */
function splitName(name: string, path: string): readonly [string, string] {
  const slash = name.indexOf("/");
  if (slash > 0) return [name.slice(0, slash), name.slice(slash + 1)];
  throw cannotTranslate(
    `${path}/@name`,
    "it must be two names with a slash between them",
    "Write pool/image.",
  );
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
