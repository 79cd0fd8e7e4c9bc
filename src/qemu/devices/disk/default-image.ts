import type { BackingStore } from "../../../domain/devices/disk/backing-store.ts";
import type { Disk } from "../../../domain/devices/disk/disk.ts";
import type { NetworkSource } from "../../../domain/forms/source/disk.ts";
import type { ImageHost } from "../../../domain/forms/source/network.ts";

/**
 * Default ports of protocols; NFS has none, as it does not support a port.
 * virStorageSourceNetworkDefaultPort() of libvirt
 */
export const DEFAULT_PORTS: ReadonlyMap<NetworkSource["protocol"], number> = new Map([
  ["http", 80],
  ["https", 443],
  ["ftp", 21],
  ["ftps", 990],
  ["nbd", 10_809],
  ["ssh", 22],
  ["iscsi", 3260],
  ["gluster", 24_007],
]);

type Source = NonNullable<Disk["source"]>;

/**
 * Sets defaults of an image's source, such as port and encryption engine. virDomainDiskSourceNetworkParse()
 * of libvirt
 */
export function fillImage<S extends Source>(source: S): S {
  const managed = "namespace" in source ? { managed: source.managed ?? true } : {};
  return { ...source, ...fillEncryption(source), ...fillNetwork(source), ...managed };
}

/** Sets the defaults of each backing image. */
export function fillBacking(store: BackingStore): BackingStore {
  if (store.type === "end") return store;
  const filled = { ...store, source: fillImage(store.source) } as typeof store;
  return store.backingStore === undefined
    ? filled
    : { ...filled, backingStore: fillBacking(store.backingStore) };
}

function fillEncryption(source: Source): object {
  const encryption = "encryption" in source ? source.encryption : undefined;
  return encryption === undefined ? {} : { encryption: addEngine(encryption) };
}

/** Sets the default encryption engine, QEMU. qemuDomainDeviceDiskDefPostParse() of libvirt */
export function addEngine<E extends NonNullable<Disk["encryption"]>>(encryption: E): E {
  return { ...encryption, engine: encryption.engine ?? "qemu" };
}

function fillNetwork(source: Source): object {
  if (!("protocol" in source)) return {};
  const { hosts, name, protocol } = source;
  const unit = protocol === "iscsi" && name !== undefined && !name.includes("/") ? { name: `${name}/0` } : {};
  return { hosts: hosts.map((host) => addPort(host, DEFAULT_PORTS.get(protocol))), ...unit };
}

function addPort(host: ImageHost, port: number | undefined): ImageHost {
  if (host.transport === "unix" || port === undefined) return host;
  return { ...host, port: host.port ?? port };
}
