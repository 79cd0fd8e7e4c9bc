import { describe, expect, test } from "bun:test";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

// The command of virt-viewer for a screen, as sshd passes it for a key with a command of its own. A real QEMU
// answers with the first message of RFB, "RFB 003.008" (RFC 6143, 7.1.1).

const UUID = crypto.randomUUID();
const ASIDE = lackOf(["virsh"]);
const folder = makeFolder();
const PORT = "port=$((5900 + $(virsh vncdisplay vm1 | sed 's/.*://')))";

/** Writes the XML of a guest with a screen. */
function write(listen: string): string {
  return (
    `printf %s "<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory><os><type>hvm</type></os>` +
    `<devices><graphics type='vnc'>${listen}</graphics></devices><seclabel type='none'/></domain>" >vm1.xml`
  );
}

/** Asks for a screen as a client does, which leaves once it has the first bytes, and prints them. */
function ask(parameters: string, options = ""): string {
  const call = `SSH_ORIGINAL_COMMAND="nc ${parameters}" timeout -k 1 20 ${folder}/svirt shell ${options}`;
  const wait = 'until [ -e done ] || [ "$(wc -c <got)" -ge 11 ]; do sleep 0.1; done';
  return `${PORT}; rm -f done; : >got; (${wait}) | { ${call} >got; : >done; }; head -c 11 got`;
}

describe.skipIf(ASIDE !== "")(`a screen over svirt shell${ASIDE}`, () => {
  test(
    "on a port is carried for a key that may change things, and no other port is",
    () => {
      const [, , start, screen, reading, other, off] = onNewNode(folder, [
        `ln -sf "$(readlink -f ${folder}/virt-ssh-helper)" svirt; ${write("<listen type='address'/>")}`,
        "virsh define vm1.xml",
        "virsh start vm1",
        ask("127.0.0.1 $port"),
        ask("127.0.0.1 $port", "--read-only"),
        ask("127.0.0.1 22"),
        `${PORT}; virsh destroy vm1; ${ask("127.0.0.1 $port").replace(PORT, ":")}`,
      ]);
      expect(start?.err).toBe("");
      expect(screen?.out).toBe("RFB 003.008");
      expect(reading).toMatchObject({ out: "", err: expect.stringContaining("this key is read-only") });
      const none = "no running guest has its screen there";
      expect(other).toMatchObject({ out: "", err: expect.stringContaining(none) });
      expect(off?.err).toContain(none);
    },
    TEST_MS,
  );

  test(
    "on a socket is carried likewise",
    () => {
      const [, , start, screen] = onNewNode(folder, [
        write("<listen type='socket'/>"),
        "virsh define vm1.xml",
        "virsh start vm1",
        ask(`-U /run/svirt/${UUID}/guest/vnc.sock`).replace(PORT, ":"),
        "virsh destroy vm1",
      ]);
      expect(start?.err).toBe("");
      expect(screen?.out).toBe("RFB 003.008");
    },
    TEST_MS,
  );
});
