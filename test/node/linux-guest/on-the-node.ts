import { beforeAll } from "bun:test";
import { fileURLToPath } from "node:url";
import { node } from "../harness/on-the-node.ts";
import { isNodeUp } from "../isolation/on-the-node.ts";

const BUILD = fileURLToPath(new URL("build", import.meta.url));

/**
 * Prefix of a script: `as_linux [OPS]` makes the XML of a guest boot this folder's Linux, which performs OPS.
 */
export const LINUX = `
  as_linux() {
    linux_words="console=ttyS0 quiet panic=-1 mitigations=off nokaslr ops=\${1-virtiofs}"
    sed "s/>16</>128</; s,</type></os>,</type><kernel>$here/vmlinux</kernel><initrd>$here/initramfs</initrd><cmdline>$linux_words</cmdline></os>,"
  }
`;

/** Copies the Linux of test/node/linux-guest/build to the node before the first test of a file. */
export function bringLinux(): void {
  beforeAll(async () => {
    if (!(await isNodeUp())) return;
    const built = Bun.spawnSync([BUILD], { stderr: "inherit" });
    if (!built.success) throw new Error("Cannot put together a Linux for guests");
    const folder = built.stdout.toString().trim();
    await node(["put", `${folder}/vmlinux`, `${folder}/initramfs`, `${folder}/frames`, "/srv/lifecycle"]);
  });
}
