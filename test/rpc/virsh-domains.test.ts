import { describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testInTurn } from "../sample.ts";
import { lackOf, makeFolder, onNewNode, type Said, TEST_MS } from "./client-node.ts";

const inTurn = testInTurn(4, 2);

const UUID = crypto.randomUUID();
const ASIDE = lackOf(["virsh"]);
const folder = makeFolder();

writeFileSync(
  join(folder, "vm1.xml"),
  `<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory><vcpu>2</vcpu><iothreads>1</iothreads>
  <os><type>hvm</type></os><features><acpi/></features><devices><interface type='user'><mac address='52:54:00:00:00:01'/></interface>
  <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices><seclabel type='none'/></domain>`,
);

/** Returns the output of each call. All calls must succeed. */
function outOf(said: readonly Said[]): string[] {
  expect(said.map(({ code, err }) => [code, err])).toEqual(said.map(() => [0, ""]));
  return said.map(({ out }) => out);
}

describe.skipIf(ASIDE !== "")(`stock virsh describes, names and limits domains of svirt${ASIDE}`, () => {
  inTurn(
    "sets, shows and removes metadata, titles and descriptions, and renames a domain",
    () => {
      const [, set, get, xml, , none, , title, renamed, names] = outOf(
        onNewNode(folder, [
          "virsh define vm1.xml",
          "virsh metadata vm1 http://app/ --key app --set '<a b=\"1\"><c/></a>'",
          "virsh metadata vm1 http://app/",
          "virsh dumpxml vm1 | grep app:",
          "virsh metadata vm1 http://app/ --remove",
          "virsh metadata vm1 http://app/",
          ...[
            "virsh desc vm1 --title a title",
            "virsh desc vm1 --title; virsh list --all --title | grep vm1",
          ],
          ...["virsh domrename vm1 vm2", `virsh domname ${UUID}; virsh list --all --name`],
        ]),
      );
      expect([set, get, none, renamed]).toEqual([
        "Metadata modified",
        '<a b="1"><c/></a>',
        "",
        "Domain successfully renamed",
      ]);
      expect(xml).toContain('<app:a xmlns:app="http://app/" b="1"><app:c/></app:a>');
      expect(title).toMatch(/^a title\n.* vm1 +shut off +a title$/s);
      expect(names).toBe("vm2\n\nvm2");
    },
    TEST_MS,
  );

  inTurn(
    "resets a running guest, presses its keys and dumps its memory, with its settings",
    () => {
      const [, , reset, , nmi, dump, size, control, errors, threads] = outOf(
        onNewNode(folder, [
          ...["virsh define vm1.xml", "virsh start vm1", "virsh reset vm1", "virsh send-key vm1 KEY_A KEY_B"],
          ...["virsh inject-nmi vm1", `virsh dump vm1 ${folder}/vm1.core --memory-only`],
          ...[`stat -c %s ${folder}/vm1.core`, "virsh domcontrol vm1", "virsh domblkerror vm1"],
          ...["virsh iothreadinfo vm1", "virsh destroy vm1"],
        ]),
      );
      expect([reset, nmi, control, errors]).toEqual(["Domain 'vm1' was reset", "", "ok", "No errors found"]);
      expect(dump).toContain(`Domain 'vm1' dumped to ${folder}/vm1.core`);
      expect(Number(size)).toBeGreaterThan(64 * 1024 * 1024);
      expect(threads).toMatch(/^IOThread ID +CPU Affinity\n-+\n 1 +\d/);
    },
    TEST_MS,
  );

  inTurn(
    "starts a domain at one boot, shows it for old versions, and asks about its agent and its system's processors",
    () => {
      const [, once, info, never, migratable, live, timeout, keys, less, ...others] = onNewNode(folder, [
        ...["virsh define vm1.xml", "virsh autostart vm1 --once", "virsh dominfo vm1 | grep Autostart"],
        ...["virsh autostart vm1 --once --disable; virsh dominfo vm1 | grep -c 'Once: disable'"],
        "virsh dumpxml vm1 --migratable --inactive >off.xml; grep -cE 'keyboard|pci-root|<audio' off.xml",
        "virsh start vm1; virsh dumpxml vm1 --migratable | grep -cE '<alias|<label|id=.1.'",
        ...["virsh guest-agent-timeout vm1 --timeout 3", "virsh send-key vm1 --codeset usb 4 0x4c"],
        ...[
          "virsh guest-agent-timeout vm1 --timeout -3",
          "virsh guestvcpus vm1",
          "virsh vcpucount vm1 --guest",
        ],
        ...[
          "virsh setvcpus vm1 1 --guest",
          "virsh -r vcpucount vm1 --guest",
          "virsh -r dumpxml vm1 --migratable",
        ],
        "virsh destroy vm1",
      ]);
      expect([once?.out, info?.out, timeout?.code, keys?.code]).toEqual([
        "Domain 'vm1' marked as autostarted on next boot",
        "Autostart:      disable\nAutostart Once: enable",
        0,
        0,
      ]);
      expect(never?.out).toEndWith("\n1");
      expect([migratable?.out, live?.out.split("\n").at(-1)]).toEqual(["0", "0"]);
      expect(less?.err).toContain(
        "error: invalid argument: guest agent timeout '-3' is less than the minimum '-2'",
      );
      const silent = "error: Guest agent is not responding: Guest agent not available for now";
      const refused = "error: operation forbidden: ";
      expect(others.slice(0, 5).map(({ code, err }) => [code, err.split("\n").at(-1)])).toEqual([
        [1, silent],
        [1, silent],
        [1, silent],
        [1, `${refused}read only access prevents virDomainGetVcpusFlags`],
        [1, `${refused}virDomainGetXMLDesc with secure flag`],
      ]);
    },
    TEST_MS,
  );

  inTurn(
    "sets and shows limits and pins of a definition",
    () => {
      const [, , memory, , shares, , pins, , emulator, , rates, , weights] = outOf(
        onNewNode(folder, [
          "virsh define vm1.xml",
          ...["virsh memtune vm1 --hard-limit 512M --config", "virsh memtune vm1 --config"],
          ...[
            "virsh schedinfo vm1 --set cpu_shares=200 vcpu_quota=-1 --config",
            "virsh schedinfo vm1 --config",
          ],
          ...["virsh vcpupin vm1 1 0 --config", "virsh vcpupin vm1 --config"],
          ...["virsh emulatorpin vm1 0 --config", "virsh emulatorpin vm1 --config"],
          ...["virsh domiftune vm1 52:54:00:00:00:01 --inbound 100,200,5 --config"],
          "virsh domiftune vm1 52:54:00:00:00:01 --config",
          ...["virsh blkiotune vm1 --weight 500 --device-read-bytes-sec /dev/null,9 --config"],
          "virsh blkiotune vm1 --config",
        ]),
      );
      expect(memory).toMatch(/^hard_limit +: 524288\nsoft_limit +: unlimited\nswap_hard_limit: unlimited$/);
      expect(shares).toMatch(/^Scheduler +: posix\ncpu_shares +: 200\nvcpu_period +: 0\nvcpu_quota +: -1\n/);
      expect(pins).toMatch(/^VCPU +CPU Affinity\n-+\n 0 +0.*\n 1 +0$/);
      expect(emulator).toMatch(/\*: 0$/);
      expect(rates).toMatch(/^inbound\.average: 100\ninbound\.peak +: 200\ninbound\.burst +: 5\n/);
      expect(weights).toMatch(/^weight +: 500\n/);
      expect(weights).toMatch(/^device_read_bytes_sec: \/dev\/null,9$/m);
    },
    TEST_MS,
  );

  inTurn(
    "reports that no agent answers, in libvirt's words",
    () => {
      const [, , time, info, keys] = onNewNode(folder, [
        ...["virsh define vm1.xml", "virsh start vm1", "virsh domtime vm1", "virsh guestinfo vm1"],
        ...["virsh get-user-sshkeys vm1 root", "virsh destroy vm1"],
      ]);
      for (const said of [time, info, keys])
        expect([said?.code, said?.err]).toEqual([
          1,
          expect.stringContaining("Guest agent is not responding: Guest agent not available for now"),
        ]);
    },
    TEST_MS,
  );
});
