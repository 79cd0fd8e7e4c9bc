import { describe, expect, test } from "bun:test";
import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testInTurn } from "../sample.ts";
import { lackOf, makeFolder, onNewNode, type Said, TEST_MS } from "./client-node.ts";

const inTurn = testInTurn(4, 3);

// Stock virsh waits for events of dist/svirt, while other processes change the node. It prints the words of
// libvirt's tools/virsh-domain-event.c, virsh-network.c and virsh-pool.c.

const ASIDE = lackOf(["virsh", "stdbuf"]);
const folder = makeFolder();
const SVIRT = join(folder, "svirt");
const DEFINE_FIRST = `${SVIRT} define first.xml`;

const XML = `<domain type='qemu'><name>vm1</name><memory unit='MiB'>64</memory>
  <os><type>hvm</type></os><seclabel type='none'/></domain>`;
writeFileSync(join(folder, "vm1.xml"), XML);
writeFileSync(join(folder, "acpi.xml"), XML.replace("</os>", "</os><features><acpi/></features>"));
// A boot sector that reports a panic (port 0x505 of docs/specs/pvpanic.rst of QEMU) and halts: mov dx; mov
// al, 1; out; hlt
const PANICS = "ba0505b001eef4".padEnd(1020, "0");
writeFileSync(join(folder, "panics.raw"), Buffer.from(`${PANICS}55aa`.padEnd(2 * 1024 * 1024, "0"), "hex"));
writeFileSync(
  join(folder, "panics.xml"),
  XML.replace(
    "<seclabel",
    `<on_poweroff>restart</on_poweroff><on_crash>destroy</on_crash>
      <devices><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${folder}/panics.raw'/>
      <target dev='vda' bus='virtio'/></disk><panic model='isa'/></devices><seclabel`,
  ),
);
writeFileSync(join(folder, "first.xml"), XML.replace("vm1", "first"));
const NETWORK = "<network><name>net1</name><forward mode='bridge'/><bridge name='br-none'/></network>";
writeFileSync(join(folder, "net1.xml"), NETWORK);
writeFileSync(join(folder, "first-net.xml"), NETWORK.replace("net1", "first"));

const FIRST_SECRET = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f";
const OWN_SECRET = "1a81f5b2-8403-7b23-c8d6-21ccc2f80d6f";
for (const uuid of [FIRST_SECRET, OWN_SECRET])
  writeFileSync(
    join(folder, `${uuid}.xml`),
    `<secret ephemeral='no' private='no'><uuid>${uuid}</uuid></secret>`,
  );

/** Reports whether the kernel tells this machine about devices: not a container's. */
function hasMessages(): boolean {
  try {
    accessSync("/sys/class/net/lo/uevent", constants.W_OK);
    return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
  } catch {
    return false;
  }
}

/**
 * A command, and the text of the last event that it causes: the next command is run once virsh has printed
 * it.
 */
type Act = readonly [command: string, event?: string];

/** Returns a line of the shell that runs a command and waits for its event. */
function act([command, event]: Act): string {
  const run = `{ ${command}; } >&2`;
  const wait = "for at in $(seq 600); do";
  return event === undefined
    ? run
    : `had=$(count '${event}'); ${run}; ${wait} [ $(count '${event}') -gt $had ] && break; sleep 0.1; done`;
}

/**
 * Returns a line of the shell that runs virsh for events, then the commands, and prints what virsh has
 * printed once it has the text `last`. The first command is repeated until virsh has printed something: from
 * then on it is registered.
 */
function during(virsh: string, [first, ...acts]: readonly [string, ...Act[]], last: string): string {
  const program = virsh.startsWith(SVIRT) ? "" : 'virsh -c "$LIBVIRT_DEFAULT_URI" ';
  return [
    `ln -sf ${new URL("../../dist/svirt", import.meta.url).pathname} ${SVIRT}`,
    "rm -f seen",
    `stdbuf -oL timeout -k 1 90 ${program}${virsh} >seen & pid=$!`,
    `while [ ! -s seen ] && kill -0 $pid; do { ${first}; } >&2; sleep 0.5; done`,
    'count() { grep -v first seen | grep -c "$1"; }',
    ...acts.map(act),
    `while ! grep -q '${last}' seen && kill -0 $pid; do sleep 0.2; done`,
    "kill $pid; grep -v first seen",
  ].join("; ");
}

function linesOf(said: Said | undefined): readonly string[] {
  return (said?.out ?? "").split("\n");
}

describe.skipIf(ASIDE !== "")(`stock virsh on svirt${ASIDE}`, () => {
  inTurn(
    "virsh event reports what a command of svirt, another client and QEMU's end do with a domain",
    () => {
      const acts: Act[] = [
        [`${SVIRT} define vm1.xml`, "Defined"],
        [`${SVIRT} start vm1`, "Started"],
        [`${SVIRT} suspend vm1`, "Suspended"],
        ["virsh resume vm1", "Resumed"],
        [`${SVIRT} destroy vm1`, "Stopped"],
        ["virsh start vm1", "Started"],
        ["kill -9 $(cat /run/svirt/*/pid)", "Crashed"],
        [`${SVIRT} undefine vm1`],
      ];
      const [said] = onNewNode(folder, [
        during("event --loop --event lifecycle", [DEFINE_FIRST, ...acts], "vm1.: Undefined"),
      ]);
      expect(linesOf(said)).toEqual(
        [
          ...["Defined Added", "Resumed Unpaused", "Started Booted", "Suspended Paused", "Resumed Unpaused"],
          ...["Shutdown Finished after host request", "Stopped Destroyed", "Resumed Unpaused"],
          ...["Started Booted", "Stopped Crashed", "Undefined Removed"],
        ].map((what) => `event 'lifecycle' for domain 'vm1': ${what}`),
      );
    },
    TEST_MS,
  );

  inTurn(
    "svirt event --loop prints what virsh does",
    () => {
      const acts: Act[] = [
        [`${SVIRT} define vm1.xml`, "Defined"],
        [`${SVIRT} start vm1`, "Started"],
        ["virsh suspend vm1", "Suspended"],
        [`${SVIRT} destroy vm1`, "Stopped"],
        ["virsh undefine vm1"],
      ];
      const commands = [DEFINE_FIRST, ...acts] as const;
      const [own, virsh] = onNewNode(folder, [
        during(`${SVIRT} event --loop --all`, commands, "vm1.: Undefined"),
        during("event --loop --all", commands, "vm1.: Undefined"),
      ]);
      expect(linesOf(own)).toHaveLength(7);
      expect(linesOf(own)).toEqual(linesOf(virsh));
    },
    TEST_MS,
  );

  inTurn(
    "virsh event --all reports what QEMU says about a running guest, and an event that svirt does not deliver is refused",
    () => {
      const plug = `virsh attach-disk vm1 ${folder}/plugged.raw vdb --live`;
      const [all, other] = onNewNode(folder, [
        during(
          "event --loop --all",
          [
            DEFINE_FIRST,
            [`truncate -s 1M plugged.raw; ${SVIRT} define acpi.xml`, "Defined"],
            [`${SVIRT} start vm1`, "Started"],
            ["virsh reset vm1", "reboot"],
            [plug, "device-added"],
            [`${SVIRT} destroy vm1`],
          ],
          "Stopped",
        ),
        "virsh event --event control-error --timeout 1",
      ]);
      const of = (event: string, detail = ""): string => `event '${event}' for domain 'vm1'${detail}`;
      // The firmware resets the machine once more.
      expect([...new Set(linesOf(all))]).toEqual([
        of("lifecycle", ": Defined Added"),
        of("lifecycle", ": Resumed Unpaused"),
        of("lifecycle", ": Started Booted"),
        of("reboot"),
        of("device-added", ": virtio-disk1"),
        of("lifecycle", ": Shutdown Finished after host request"),
        of("lifecycle", ": Stopped Destroyed"),
      ]);
      expect(other?.err).toEndWith(
        "this function is not supported by the connection driver: virConnectDomainEventRegisterAny",
      );
    },
    TEST_MS,
  );

  inTurn(
    "a guest that panics is crashed, also as its end, and what follows a power-off does not follow",
    () => {
      const [events, state] = onNewNode(folder, [
        during(
          "event --loop --event lifecycle",
          [DEFINE_FIRST, [`${SVIRT} define panics.xml`, "Defined"], [`${SVIRT} start vm1`]],
          "vm1.: Stopped",
        ),
        "virsh domstate vm1 --reason",
      ]);
      // processGuestPanicEvent() of libvirt's src/qemu/qemu_driver.c: its state and event with
      // on_crash=destroy.
      expect(linesOf(events).slice(-3)).toEqual(
        ["Crashed Panicked", "Shutdown Finished after guest request", "Stopped Crashed"].map(
          (what) => `event 'lifecycle' for domain 'vm1': ${what}`,
        ),
      );
      expect(state?.out).toBe("shut off (crashed)");
    },
    TEST_MS,
  );

  inTurn(
    "virsh net-event and pool-event report what commands of svirt do",
    () => {
      const [networks, pools, refreshes] = onNewNode(folder, [
        during(
          "net-event --loop --event lifecycle",
          [
            `${SVIRT} net-define first-net.xml`,
            [`${SVIRT} net-define net1.xml`, "Defined"],
            [`${SVIRT} net-undefine net1`],
          ],
          "Undefined",
        ),
        during(
          "pool-event --loop --event lifecycle",
          [
            `${SVIRT} pool-define-as first dir --target ${folder}/none`,
            [`${SVIRT} pool-define-as pool1 dir --target /srv/svirt-events`, "Defined"],
            ["virsh pool-build pool1", "Created"],
            ["virsh pool-start pool1", "Started"],
            ["virsh pool-destroy pool1", "Stopped"],
            ["virsh pool-delete pool1", "Deleted"],
            ["virsh pool-undefine pool1"],
          ],
          "Undefined",
        ),
        during(
          "pool-event --loop --event refresh",
          [
            `${SVIRT} pool-create-as other dir --target /srv/svirt-events --build; ${SVIRT} pool-refresh other`,
            [`${SVIRT} pool-destroy other; rmdir /srv/svirt-events`],
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

  test.skipIf(!hasMessages())(
    "virsh and svirt report the same of secrets and of the host's devices, and of a domain's title",
    () => {
      const define = (uuid: string): string => `${SVIRT} secret-define ${uuid}.xml`;
      const setValue = (uuid: string): string => `virsh secret-set-value ${uuid} --base64 c2VjcmV0`;
      const touch = "echo change >/sys/class/net/lo/uevent";
      const [life, value, own, virsh, title] = onNewNode(folder, [
        during(
          "secret-event --loop --event lifecycle",
          [
            define(FIRST_SECRET),
            [define(OWN_SECRET), `${OWN_SECRET}: Defined`],
            [setValue(OWN_SECRET)],
            [`${SVIRT} secret-undefine ${OWN_SECRET}`],
          ],
          `${OWN_SECRET}: Undefined`,
        ),
        during(
          "secret-event --loop --event value-changed",
          [setValue(FIRST_SECRET), [define(OWN_SECRET)], [setValue(OWN_SECRET)]],
          OWN_SECRET,
        ),
        during(`${SVIRT} nodedev-event --loop --event update`, [touch, [touch]], "net_lo"),
        during("nodedev-event --loop --event update", [touch, [touch]], "net_lo"),
        during(
          "event --loop --event metadata-change",
          [`${SVIRT} define vm1.xml; ${SVIRT} desc vm1 --config --title one`],
          "title",
        ),
      ]);
      expect(linesOf(life).filter((line) => line.includes(OWN_SECRET))).toEqual(
        ["Defined", "Undefined"].map((what) => `event 'lifecycle' for secret ${OWN_SECRET}: ${what}`),
      );
      expect(linesOf(value)).toContain(`event 'value-changed' for secret ${OWN_SECRET}`);
      const LO = "event 'update' for node device net_lo_00_00_00_00_00_00";
      expect([linesOf(own)[0], linesOf(virsh)[0]]).toEqual([LO, LO]);
      expect(linesOf(title)[0]).toBe("event 'metadata-change' for domain 'vm1': type title, uri <null>");
    },
    TEST_MS,
  );
});
