import { SvirtError, unlessRefused } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Adapter } from "../../storage/pool/source/adapter.ts";
import { formatScsiKey } from "../../storage/volume/scsi-key.ts";
import { nodeAt, type PoolDevice, type StablePath, stablePaths, unlessGone } from "./pool-device.ts";

const HOSTS = "/sys/class/scsi_host";
const PORTS = "/sys/class/fc_host";
const DEVICES = "/sys/bus/scsi/devices";
/** SCSI device HOST:BUS:TARGET:UNIT. */
const UNIT = /^(\d+):(\d+):(\d+):(\d+)$/;
/** Types of a disk and of a CD-ROM drive. scsi/scsi_proto.h of Linux */
const DISK_TYPES: ReadonlySet<string> = new Set(["0", "5"]);
const MOST_PAGE_BYTES = 4096;

/** Logical units to list, and the target of their pool. */
interface Units {
  readonly hostNumber: string;
  readonly target: string;
}

/** Lists the disks of a SCSI host. Throws as hostOf(). virStorageBackendSCSIRefreshPool() of libvirt */
export function listAdapterDevices(host: Host, adapter: Adapter, target: string): readonly PoolDevice[] {
  const name = hostOf(host, adapter);
  return listUnits(host, { hostNumber: name.replace(/^host/, ""), target });
}

/**
 * Lists the disks of a SCSI host that have a path in the target. The name leaves the number of the host out,
 * since each boot changes it. Reads sysfs and nodes and sends no command to a device.
 * virStorageBackendSCSIFindLUs() of libvirt
 */
export function listUnits(host: Host, { hostNumber, target }: Units): readonly PoolDevice[] {
  const pathOf = stablePaths(host, target);
  return host.listFolder(DEVICES).flatMap((unit) => {
    const [, number, bus, id, lun] = UNIT.exec(unit) ?? [];
    const folder = `${DEVICES}/${unit}`;
    const device =
      number === hostNumber ? unlessGone(host, folder, () => diskAt(host, folder, pathOf)) : undefined;
    return device === undefined ? [] : [{ name: `unit:${bus}:${id}:${lun}`, ...device }];
  });
}

/** Returns the disk of a SCSI device; undefined without a disk, or without a path in the target. */
function diskAt(host: Host, folder: string, pathOf: StablePath): Omit<PoolDevice, "name"> | undefined {
  if (!DISK_TYPES.has(host.readText(`${folder}/type`)?.trim() ?? "")) return undefined;
  const [block] = host.listFolder(`${folder}/block`);
  const path = block === undefined ? undefined : pathOf(block);
  if (path === undefined) return undefined;
  const facts = nodeAt(host, path, `${folder}/block/${block}`);
  return facts === undefined ? undefined : { key: readKey(host, folder) ?? path, path, facts };
}

/**
 * Returns the identifier of a SCSI device from the pages read by the kernel; undefined without an identifier.
 */
function readKey(host: Host, folder: string): string | undefined {
  const page = (name: string): Uint8Array | undefined => {
    const id = host.inspectFile(`${folder}/${name}`)?.id;
    // The kernel may lose a page, and the file of it stays.
    return id === undefined ? undefined : unlessRefused(() => host.readBytes(id, 0, MOST_PAGE_BYTES));
  };
  const text = (name: string): string => host.readText(`${folder}/${name}`)?.replace(/\n$/, "") ?? "";
  return formatScsiKey({
    page83: page("vpd_pg83"),
    page80: page("vpd_pg80"),
    vendor: text("vendor"),
    model: text("model"),
  });
}

/**
 * Returns the name of the adapter's SCSI host. Throws "not-found", also for a virtual port that is not made.
 * getAdapterName() of libvirt
 */
function hostOf(host: Host, adapter: Adapter): string {
  if (adapter.type === "fc_host") return portHost(host, adapter);
  const { name, parentaddr } = adapter;
  if (name !== undefined) return namedHost(host, name);
  if (parentaddr === undefined) throw new Error("an adapter has neither a name nor an address");
  const { address, uniqueId } = parentaddr;
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
  const { bus, domain = 0, function: part, slot } = address;
  const pci = `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${hex(part, 1)}`;
  const found = host
    .listFolder(HOSTS)
    .find(
      (one) =>
        host.inspectFile(`${HOSTS}/${one}`)?.id.path.split("/").includes(pci) === true &&
        host.readText(`${HOSTS}/${one}/unique_id`)?.trim() === String(uniqueId),
    );
  if (found !== undefined) return found;
  throw missingHost(`Failed to find scsi_host using PCI '${pci}' and unique_id='${uniqueId}'`);
}

/** virSCSIHostGetNumber() of libvirt */
function namedHost(host: Host, name: string): string {
  const [, number] = /^(?:scsi_)?host(\d+)$/.exec(name) ?? [];
  if (number === undefined) throw missingHost(`Invalid adapter name '${name}' for SCSI pool`);
  if (host.inspectFile(`${HOSTS}/host${number}`) !== undefined) return `host${number}`;
  throw missingHost(`Cannot find the adapter '${name}': ${HOSTS}/host${number} is missing`);
}

function missingHost(message: string): SvirtError {
  return new SvirtError(message, {
    kind: "not-found",
    place: "/pool/source/adapter",
    remedy: `Name an adapter of this host: ls ${HOSTS}`,
  });
}

/**
 * Returns the SCSI host of a Fibre Channel port, virtual or not. sysfs has the names in lower case after 0x.
 * virVHBAGetHostByWWN() of libvirt
 */
function portHost(host: Host, { parent, ...port }: Extract<Adapter, { readonly type: "fc_host" }>): string {
  const [wwnn, wwpn] = [port.wwnn.toLowerCase(), port.wwpn.toLowerCase()];
  const read = (one: string, file: string): string | undefined =>
    unlessGone(host, `${PORTS}/${one}`, () => host.readText(`${PORTS}/${one}/${file}`)?.trim());
  const found = host
    .listFolder(PORTS)
    .find((one) => read(one, "port_name") === `0x${wwpn}` && read(one, "node_name") === `0x${wwnn}`);
  if (found !== undefined) return found;
  const above = parent?.replace(/^scsi_/, "") ?? "HOST";
  throw new SvirtError(
    `Cannot find the adapter: no Fibre Channel port has wwnn='${wwnn}' and wwpn='${wwpn}'`,
    {
      kind: "not-found",
      place: "/pool/source/adapter",
      remedy: `Make it: echo ${wwpn}:${wwnn} >${PORTS}/${above}/vport_create`,
    },
  );
}
