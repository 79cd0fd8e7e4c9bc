import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { lackOf } from "./client-node.ts";
import { call, opening, text, word } from "./remote-client.ts";

const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;
const ASIDE = lackOf([]);
/** REMOTE_PROC_DOMAIN_DEFINE_XML_FLAGS of libvirt's remote_protocol.x */
const DEFINE = 350;
/** docs/measurements.md */
const MOST_KIB = 95 * 1024;
const LENGTH_BYTES = 4;

/** Returns the XML of a domain with about 1 MiB of description. */
const described = (description: string): string =>
  `<domain type='qemu'><name>big</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><description>${description}</description></domain>`;

/**
 * Defines a domain several times in one connection, as root on a new node. Returns the most memory that its
 * process has had, in KiB.
 */
async function mostKiB(xml: string, times: number): Promise<number> {
  const folders = ["/etc/svirt", "/var/lib/svirt", "/run/svirt", "/var/log/svirt"];
  const mounts = folders.map((path) => `mkdir -p ${path}; mount -t tmpfs none ${path}`);
  const script = [...mounts, `exec ${SVIRT} virt-ssh-helper qemu:///system`].join("\n");
  const child = Bun.spawn(["unshare", "-m", "sh", "-c", script], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  child.stdin.write(Buffer.from(opening() + call(DEFINE, text(xml) + word(0)).repeat(times), "hex"));
  await child.stdin.flush();
  let [bytes, replies] = [Buffer.alloc(0), 0];
  for await (const chunk of child.stdout) {
    bytes = Buffer.concat([bytes, chunk]);
    for (; bytes.length >= LENGTH_BYTES && bytes.length >= bytes.readUInt32BE(0); replies += 1)
      bytes = bytes.subarray(bytes.readUInt32BE(0));
    // The replies to the list of ways to authenticate and to virConnectOpen() come first.
    if (replies >= 2 + times) break;
  }
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
  await child.stdin.end();
  await child.exited;
  return Number(kib);
}

describe.skipIf(ASIDE !== "")(`1 MiB of XML in a connection${ASIDE}`, () => {
  test.each([
    ["once", 1],
    ["five times", 5],
  ])(
    "takes less than 100 MiB of memory, %s",
    async (_, times) => {
      expect(await mostKiB(described("a".repeat(1_040_000)), times)).toBeLessThan(MOST_KIB);
    },
    60_000,
  );
});
