import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { lackOf, makeFolder, onNewNode, type Said, TEST_MS } from "./client-node.ts";

// Stock virsh waits for events of dist/svirt, while other processes change the node. It prints the words of libvirt's
// tools/virsh-domain-event.c, virsh-network.c and virsh-pool.c.

const ASIDE = lackOf(["virsh", "stdbuf"]);
const folder = makeFolder();
const SVIRT = join(folder, "svirt");
const DEFINE_FIRST = `${SVIRT} define first.xml`;

const XML = `<domain type='qemu'><name>vm1</name><memory unit='MiB'>64</memory>
  <os><type>hvm</type></os><seclabel type='none'/></domain>`;
writeFileSync(join(folder, "vm1.xml"), XML);
writeFileSync(join(folder, "acpi.xml"), XML.replace("</os>", "</os><features><acpi/></features>"));
writeFileSync(join(folder, "first.xml"), XML.replace("vm1", "first"));
const NETWORK = "<network><name>net1</name><forward mode='bridge'/><bridge name='br-none'/></network>";
writeFileSync(join(folder, "net1.xml"), NETWORK);
writeFileSync(join(folder, "first-net.xml"), NETWORK.replace("net1", "first"));

/**
 * Returns a line of the shell that runs virsh for events, then the commands, and prints what virsh has printed once it has the text
 * `last`. The first command is repeated until virsh has printed something: from then on it is registered.
 */
function during(virsh: string, [first, ...commands]: readonly [string, ...string[]], last: string): string {
  const program = virsh.startsWith(SVIRT) ? "" : 'virsh -c "$LIBVIRT_DEFAULT_URI" ';
  return [
    `ln -sf ${new URL("../../dist/svirt", import.meta.url).pathname} ${SVIRT}`,
    "rm -f seen",
    `stdbuf -oL timeout -k 1 90 ${program}${virsh} >seen & pid=$!`,
    `until [ -s seen ]; do { ${first}; } >&2; sleep 0.5; done`,
    // Between two commands virsh gets the events of the first.
    ...commands.map((command) => `{ ${command}; } >&2; sleep 1`),
    `until grep -q '${last}' seen; do sleep 0.2; done`,
    "kill $pid; grep -v first seen",
  ].join("; ");
}

function linesOf(said: Said | undefined): readonly string[] {
  return (said?.out ?? "").split("\n");
}

describe.skipIf(ASIDE !== "")(`stock virsh on svirt${ASIDE}`, () => {
  test(
    "virsh event reports what a command of svirt, another client and QEMU's end do with a domain",
    () => {
      const life = ["define vm1.xml", "start vm1", "suspend vm1"].map((words) => `${SVIRT} ${words}`);
      const later = ["kill -9 $(cat /run/svirt/*/pid)", "sleep 2", `${SVIRT} undefine vm1`];
      const [said] = onNewNode(folder, [
        during(
          "event --loop --event lifecycle",
          [DEFINE_FIRST, ...life, "virsh resume vm1", `${SVIRT} destroy vm1`, "virsh start vm1", ...later],
          "vm1.: Undefined",
        ),
      ]);
      expect(linesOf(said)).toEqual(
        [
          ...["Defined Added", "Started Booted", "Suspended Paused", "Resumed Unpaused", "Stopped Destroyed"],
          ...["Started Booted", "Stopped Crashed", "Undefined Removed"],
        ].map((what) => `event 'lifecycle' for domain 'vm1': ${what}`),
      );
    },
    TEST_MS,
  );

  test(
    "svirt event --loop prints what virsh does",
    () => {
      const later = [`${SVIRT} start vm1`, "virsh suspend vm1", `${SVIRT} destroy vm1`, "virsh undefine vm1"];
      const commands = [DEFINE_FIRST, `${SVIRT} define vm1.xml`, ...later] as const;
      const [own, virsh] = onNewNode(folder, [
        during(`${SVIRT} event --loop --all`, commands, "vm1.: Undefined"),
        during("event --loop --all", commands, "vm1.: Undefined"),
      ]);
      expect(linesOf(own)).toHaveLength(5);
      expect(linesOf(own)).toEqual(linesOf(virsh));
    },
    TEST_MS,
  );

  test(
    "virsh event --all reports what QEMU says about a running guest, and an event that svirt does not deliver is refused",
    () => {
      const plug = `virsh attach-disk vm1 ${folder}/plugged.raw vdb --live`;
      const [all, other] = onNewNode(folder, [
        during(
          "event --loop --all",
          [
            DEFINE_FIRST,
            `truncate -s 1M plugged.raw; ${SVIRT} define acpi.xml; ${SVIRT} start vm1`,
            ...["virsh reset vm1", plug, `${SVIRT} destroy vm1`],
          ],
          "Stopped",
        ),
        "virsh event --event tunable --timeout 1",
      ]);
      const of = (event: string, detail = ""): string => `event '${event}' for domain 'vm1'${detail}`;
      // The firmware resets the machine once more.
      expect([...new Set(linesOf(all))]).toEqual([
        of("lifecycle", ": Defined Added"),
        of("lifecycle", ": Started Booted"),
        of("reboot"),
        of("device-added", ": virtio-disk1"),
        of("lifecycle", ": Stopped Destroyed"),
      ]);
      expect(other?.err).toEndWith(
        "this function is not supported by the connection driver: virConnectDomainEventRegisterAny",
      );
    },
    TEST_MS,
  );

  test(
    "virsh net-event and pool-event report what commands of svirt do",
    () => {
      const [networks, pools, refreshes] = onNewNode(folder, [
        during(
          "net-event --loop --event lifecycle",
          [`${SVIRT} net-define first-net.xml`, `${SVIRT} net-define net1.xml`, `${SVIRT} net-undefine net1`],
          "Undefined",
        ),
        during(
          "pool-event --loop --event lifecycle",
          [
            `${SVIRT} pool-define-as first dir --target ${folder}/none`,
            `${SVIRT} pool-define-as pool1 dir --target /srv/svirt-events`,
            ...["build", "start", "destroy", "delete", "undefine"].map((verb) => `virsh pool-${verb} pool1`),
          ],
          "Undefined",
        ),
        during(
          "pool-event --loop --event refresh",
          [
            `${SVIRT} pool-create-as other dir --target /srv/svirt-events --build; ${SVIRT} pool-refresh other`,
            `${SVIRT} pool-destroy other; rmdir /srv/svirt-events`,
          ],
          "other",
        ),
      ]);
      expect(linesOf(networks)).toEqual(
        ["Defined", "Undefined"].map((what) => `event 'lifecycle' for network net1: ${what}`),
      );
      expect(linesOf(pools)).toEqual(
        ["Defined", "Created", "Started", "Stopped", "Deleted", "Undefined"].map(
          (what) => `event 'lifecycle' for storage pool pool1: ${what}`,
        ),
      );
      expect(linesOf(refreshes)[0]).toBe("event 'refresh' for storage pool other");
    },
    TEST_MS,
  );
});
