import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { type Boot, IMAGE, type Keys, type MakeBoot } from "./machine.ts";

/** A card, and what it does without a network to boot from. */
export const CARD = ["-device", "virtio-net-pci,netdev=net0,romfile="];
const BOOTED_FROM = ["-device", "virtio-net-pci,netdev=net0,bootindex=0"];

/** The kernel's command line without settings. */
const COMMON = "console=ttyS0 loglevel=4 security=selinux selinux=1 net.ifnames=0";

/** As a kernel with its initrd, told on the command line. */
export function directBoot(words: (keys: Keys) => string, devices: readonly string[] = []): MakeBoot {
  return bootOf(IMAGE, words, [...CARD, ...devices]);
}

/** The same with the image in this folder, and a card among the devices. */
export function bootOf(image: string, words: (keys: Keys) => string, devices: readonly string[]): MakeBoot {
  return (keys) => ({
    words: [
      ...["-kernel", `${image}/vmlinuz`, "-initrd", `${image}/initrd`],
      ...["-append", `${COMMON} enforcing=1 ${words(keys)}`, ...devices],
    ],
  });
}

/** Over the network, by QEMU's TFTP server. The network card's ROM is iPXE, and its boot file a script for it. */
export function bootByTftp({ admin }: Keys, folder: string): Boot {
  return {
    words: ["-boot", "n", ...BOOTED_FROM],
    network: `,tftp=${offerBoot(admin, folder)},bootfile=boot.ipxe`,
  };
}

/** The same by a server of the test's own, which offers a folder and says under which address the machine sees it. */
export function bootByHttp(offer: (folder: string) => string): MakeBoot {
  return ({ admin }, folder) => ({
    words: ["-boot", "n", ...BOOTED_FROM],
    network: `,bootfile=${offer(offerBoot(admin, folder))}/boot.ipxe`,
  });
}

/** A folder with all that is fetched. What the node is told comes in a second initrd. */
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

/** A key as it stands in authorized_keys. */
export function asLine(key: string): string {
  return `${key.replace(":", " ")} test\n`;
}

/** An initrd with these files in its folder `svirt`. */
function archive(folder: string, files: Readonly<Record<string, string>>): Buffer {
  mkdirSync(`${folder}/second/svirt`, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/second/svirt/${name}`, text);
  const script = 'cd "$1/second" && find . | cpio -o -H newc --quiet >"$1/second.cpio"';
  const made = Bun.spawnSync(["sh", "-c", script, "sh", folder]);
  if (made.exitCode !== 0) throw new Error(`Cannot make an initrd: ${made.stderr.toString()}`);
  return readFileSync(`${folder}/second.cpio`);
}
