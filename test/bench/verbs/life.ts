import { writeFileSync } from "node:fs";

/** One command of the life of a guest and its disks. */
export interface Step {
  /** Name in the ledger, which is unique: the verb, and what differs from its other steps. */
  readonly name: string;
  readonly words: readonly string[];
  /**
   * `first`: not counted, since it asks QEMU what later calls read from a file; `signals`: not counted, since
   * valgrind 3.24 lacks pidfd_send_signal(2); `varies`: not counted. domstats takes 61 to 101 million
   * instructions; a list takes 10 or 16, by how busy the guest is.
   */
  readonly notCounted?: "first" | "signals" | "varies";
}

/** Name of the domain. */
export const DOMAIN = "verbs";
const POOL = "verbs-pool";

/**
 * Returns a whole life, in the order in which it runs. It needs no SELinux, and no system in the guest; so
 * `detach-disk` is missing, which a guest without a system does not answer. FOLDER takes the files.
 */
export function writeLife(folder: string): readonly Step[] {
  const [domain, disk] = [`${folder}/domain.xml`, `${folder}/attached.qcow2`];
  writeFileSync(domain, domainXml(folder));
  return [
    step("list"),
    { ...step("capabilities"), name: "capabilities, first", notCounted: "first" },
    step("capabilities"),
    step("domcapabilities"),
    step("pool-define-as", POOL, "dir", "--target", folder),
    step("pool-start", POOL),
    step("pool-list"),
    step("net-list"),
    step("vol-create-as", POOL, "verbs.qcow2", "64M", "--format", "qcow2"),
    step("vol-list", POOL),
    step("vol-info", "verbs.qcow2", "--pool", POOL),
    step("vol-delete", "verbs.qcow2", "--pool", POOL),
    step("pool-destroy", POOL),
    step("pool-undefine", POOL),
    step("define", domain),
    step("dumpxml", DOMAIN),
    step("dominfo", DOMAIN),
    step("domblklist", DOMAIN),
    step("start", DOMAIN),
    running("dumpxml", DOMAIN),
    running("dominfo", DOMAIN),
    running("domblklist", DOMAIN),
    { ...step("domstats", DOMAIN), notCounted: "varies" },
    { ...running("list"), notCounted: "varies" },
    step("attach-disk", DOMAIN, disk, "vdb", "--subdriver", "qcow2"),
    step("snapshot-create-as", DOMAIN, "--name", "before", "--disk-only", "--no-metadata", "--atomic"),
    step("blockcommit", DOMAIN, "vda", "--active", "--pivot", "--wait"),
    step("suspend", DOMAIN),
    step("resume", DOMAIN),
    { ...step("save", DOMAIN, `${folder}/saved`), notCounted: "signals" },
    step("restore", `${folder}/saved`),
    { ...step("destroy", DOMAIN), notCounted: "signals" },
    step("undefine", DOMAIN),
  ];
}

function step(...words: readonly [string, ...string[]]): Step {
  return { name: words[0], words };
}

function running(...words: readonly [string, ...string[]]): Step {
  return { name: `${words[0]}, running`, words };
}

/** Returns the disks that the life needs, as `qemu-img create` takes them. */
export function disksOf(folder: string): readonly string[] {
  return [`${folder}/disk.qcow2`, `${folder}/attached.qcow2`];
}

/** Returns a domain with the first of disksOf(). It runs without a label. */
export function domainXml(folder: string, name = DOMAIN): string {
  return `<domain type='qemu'>
  <name>${name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='${folder}/disk.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='pci' model='pcie-root'/>
    <controller type='pci' model='pcie-root-port'/>
    <controller type='pci' model='pcie-root-port'/>
    <controller type='pci' model='pcie-root-port'/>
    <controller type='pci' model='pcie-root-port'/>
    <serial type='pty'/>
    <video><model type='vga'/></video>
  </devices>
  <seclabel type='none'/>
</domain>
`;
}
