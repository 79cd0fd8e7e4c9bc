import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { uuidOf } from "../harness/names.ts";
import { type Client, virsh } from "./client.ts";
import { POOL } from "./facts.ts";

// The pool, the volumes and the network of the clients' guests, made by virsh.

const NETWORK = `
<network>
  <name>life-net</name>
  <bridge name='virbr79'/>
  <ip address='192.168.179.1' netmask='255.255.255.0'>
    <dhcp><range start='192.168.179.2' end='192.168.179.99'/></dhcp>
  </ip>
</network>
`;

/**
 * Writes the XML of a guest with a disk, guest.img of the pool, and a card on the network. Returns the file.
 */
export function writeGuest(client: Client, name: string): string {
  const file = join(client.folder, `${name}.xml`);
  writeFileSync(
    file,
    `<domain type='qemu'>
  <name>${name}</name>
  <uuid>${uuidOf(name)}</uuid>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type='volume' device='disk'>
      <driver name='qemu' type='raw'/>
      <source pool='life-pool' volume='guest.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='qemu-xhci'/>
    <interface type='network'><source network='life-net'/><model type='virtio'/></interface>
    <serial type='pty'/>
    <graphics type='vnc' listen='127.0.0.1'/>
    <video><model type='vga'/></video>
  </devices>
</domain>
`,
  );
  return file;
}

/**
 * Makes the pool life-pool, a folder, with volumes whose content is that of the client's files: by name of
 * the volume.
 */
export async function makePool(client: Client, volumes: Readonly<Record<string, string>>): Promise<void> {
  const uploads = Object.entries(volumes).flatMap(([volume, file]) => [
    `vol-create-as life-pool ${volume} 1M --format raw`,
    `vol-upload ${volume} ${join(client.folder, file)} --pool life-pool`,
  ]);
  const define = `pool-define-as life-pool dir --target ${POOL}`;
  await virsh(client, define, "pool-build life-pool", "pool-start life-pool", ...uploads);
}

/** Writes the XML of the network life-net. Returns the file. */
export function writeNetwork(client: Client): string {
  const file = join(client.folder, "net.xml");
  writeFileSync(file, NETWORK);
  return file;
}

/** Makes and starts the network life-net. */
export async function makeNetwork(client: Client): Promise<void> {
  await virsh(client, `net-define ${writeNetwork(client)}`, "net-start life-net");
}

/**
 * Removes the pool, with the folder, which must be empty but for these volumes, and the network if there is
 * one.
 */
export async function removeStores(client: Client, volumes: readonly string[]): Promise<void> {
  const commands = [
    ...volumes.map((volume) => `vol-delete ${volume} life-pool`),
    ...["pool-destroy life-pool", "pool-delete life-pool", "pool-undefine life-pool"],
    ...["net-destroy life-net", "net-undefine life-net"],
  ];
  await virsh(client, ...commands);
}
