import { definePool } from "../../src/vm/pool/define-pool.ts";
import { startPool } from "../../src/vm/pool/start-pool.ts";
import type { Machine } from "../memory-host/machine.ts";
import { makeMachine, nodeOn } from "./scene.ts";

/** Target of the pool `net`. */
export const NET = "/srv/net";
/** Source of the pool `net`, as the kernel shows it. */
export const EXPORT = "files.example:/images";
/** Target of the pool `disk`. */
export const DISK = "/srv/disk";
/** Source of the pool `disk`. */
export const DEVICE = "/dev/vdb";
/** Disks of two guests on the server, each in a folder of its own. */
export const OWN_DISKS = [`${NET}/one/disk.img`, `${NET}/two/disk.img`] as const;
/** Labels of files of a server, of guests that only read, and of one guest. */
export const LABELS = {
  server: "system_u:object_r:nfs_t:s0",
  content: "system_u:object_r:virt_content_t:s0",
  guest: "system_u:object_r:svirt_image_t:s0:c10,c20",
} as const;

const UUID = "44444444-5555-4666-8777-888888888888";

/**
 * Returns the document of a pool of type netfs with that label, and more parts of its source and of the pool.
 */
export function netXml({ label = "", more = "", options = [] as readonly string[] } = {}): Uint8Array {
  const granted = label === "" ? "" : `<permissions><label>${label}</label></permissions>`;
  const passed = options.map((name) => `<fs:option name='${name}'/>`).join("");
  const written = passed === "" ? "" : `<fs:mount_opts>${passed}</fs:mount_opts>`;
  return bytesOf(
    `<pool type='netfs' xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0'><name>net</name><uuid>${UUID}</uuid>` +
      `<source><host name='files.example'/><dir path='/images'/>${more}</source>` +
      `<target><path>${NET}</path>${granted}</target>${written}</pool>`,
  );
}

/** Returns the document of a pool of type fs with that label and format. */
export function diskXml({ format = "ext4", label = "" } = {}): Uint8Array {
  const granted = label === "" ? "" : `<permissions><label>${label}</label></permissions>`;
  return bytesOf(
    `<pool type='fs'><name>disk</name><uuid>${UUID}</uuid><source><device path='${DEVICE}'/><format type='${format}'/></source>` +
      `<target><path>${DISK}</path>${granted}</target></pool>`,
  );
}

/**
 * Returns a machine with an NFS server whose files have no labels, and a device with a file system whose
 * files have some.
 */
export function makeStorageMachine(): Machine {
  const machine = makeMachine();
  machine.mounts.add(EXPORT, { device: "0:50", keepsLabels: false }, LABELS.server);
  machine.files.put(DEVICE, "block", { node: "253:16" });
  machine.mounts.add(DEVICE, { device: "253:16", keepsLabels: true }, "system_u:object_r:unlabeled_t:s0");
  for (const path of [NET, DISK]) machine.files.putFolder(path, 0o711);
  return machine;
}

/**
 * Returns a machine on which the pool `net` is mounted, with a folder for each guest's disk. Files of the
 * server have no labels, and other machines see them.
 */
export async function makeSharedStorage(label = ""): Promise<Machine> {
  const machine = makeMachine();
  const storage = { fileSystems: [{ magic: 0x6969, type: "nfs4" }], disks: [] };
  machine.mounts.add(EXPORT, { device: "0:50", keepsLabels: false, storage }, LABELS.server);
  machine.files.putFolder(NET, 0o711);
  await definePool(nodeOn(machine), netXml({ label }));
  await startPool(nodeOn(machine), "net", { isBuilt: false });
  for (const path of OWN_DISKS) {
    const folder = machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
    const file = machine.files.put(path, "file", { bytes: new Uint8Array(512) });
    for (const made of [folder, file])
      made.xattrs.set("security.selinux", label === "" ? LABELS.content : label);
  }
  return machine;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
