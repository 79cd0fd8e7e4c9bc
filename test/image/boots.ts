import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { type Boot, IMAGE, type Keys, type MakeBoot } from "./machine.ts";

/** Network card that is not booted from, and its function without a network to boot from. */
export const CARD = ["-device", "virtio-net-pci,netdev=net0,romfile="];
const BOOTED_FROM = ["-device", "virtio-net-pci,netdev=net0,bootindex=0"];

/** Command line of the kernel without settings. */
const COMMON = "console=ttyS0 loglevel=4 security=selinux selinux=1 net.ifnames=0";

/** Boots a kernel and its initrd, with settings on the command line. */
export function directBoot(words: (keys: Keys) => string, devices: readonly string[] = []): MakeBoot {
  return bootOf(IMAGE, words, [...CARD, ...devices]);
}

/** As directBoot(), with the image in this folder and a card among the devices. */
export function bootOf(image: string, words: (keys: Keys) => string, devices: readonly string[]): MakeBoot {
  return (keys) => ({
    words: [
      ...["-kernel", `${image}/vmlinuz`, "-initrd", `${image}/initrd`],
      ...["-append", `${COMMON} enforcing=1 ${words(keys)}`, ...devices],
    ],
  });
}

/**
 * Boots from QEMU's TFTP server. The ROM of the network card is iPXE, and its boot file is a script for iPXE.
 */
export function bootByTftp({ admin }: Keys, folder: string): Boot {
  return {
    words: ["-boot", "n", ...BOOTED_FROM],
    network: `,tftp=${offerBoot(admin, folder)},bootfile=boot.ipxe`,
  };
}

/**
 * Boots from an HTTP server of the test. `offer` serves a folder and returns its address as the machine sees
 * it.
 */
export function bootByHttp(offer: (folder: string) => string): MakeBoot {
  return ({ admin }, folder) => ({
    words: ["-boot", "n", ...BOOTED_FROM],
    network: `,bootfile=${offer(offerBoot(admin, folder))}/boot.ipxe`,
  });
}

/** Makes a folder with all files to fetch. The node's settings are in a second initrd. */
function offerBoot(admin: string, folder: string): string {
  const offered = `${folder}/offered`;
  mkdirSync(offered);
  for (const name of ["vmlinuz", "initrd"]) symlinkSync(`${IMAGE}/${name}`, `${offered}/${name}`);
  writeFileSync(
    `${offered}/settings`,
    archive(folder, { authorized_keys: asLine(admin), hostname: "from-initrd" }),
  );
  writeFileSync(
    `${offered}/boot.ipxe`,
    `#!ipxe\nkernel vmlinuz initrd=initrd initrd=settings ${COMMON} enforcing=1\ninitrd initrd\ninitrd settings\nboot\n`,
  );
  return offered;
}

/** Formats a key as in authorized_keys. */
export function asLine(key: string): string {
  return `${key.replace(":", " ")} test\n`;
}

/** Makes an initrd with these files in its folder `svirt`. */
function archive(folder: string, files: Readonly<Record<string, string>>): Buffer {
  mkdirSync(`${folder}/second/svirt`, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/second/svirt/${name}`, text);
  const script = 'cd "$1/second" && find . | cpio -o -H newc --quiet >"$1/second.cpio"';
  const made = Bun.spawnSync(["sh", "-c", script, "sh", folder]);
  if (made.exitCode !== 0) throw new Error(`Cannot make an initrd: ${made.stderr.toString()}`);
  return readFileSync(`${folder}/second.cpio`);
}
