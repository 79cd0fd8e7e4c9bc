import { describe, expect, test } from "bun:test";
import { type CommandUse, useOfCommand } from "../../src/access/command-uses.ts";
import { weakestKey } from "../../src/access/uses.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { CHANGES as CHANGING, READS as READING } from "../rpc/libvirt-numbers.ts";

// Lists each command by its effect, apart from the program's own table. A changing command listed as reading
// would be open to a key that may only read.
const READS = `
  audit capabilities cpu-models cpu-stats doctor domblkerror domblkinfo domblklist domblkstat domcontrol domdisplay domid
  domif-getlink domiflist domifstat dominfo domjobinfo domname domstate domstats domuuid
  event freecell freepages hostname iface-dumpxml iface-list iface-mac iface-name iothreadinfo label-show list
  maxvcpus net-dhcp-leases net-dumpxml net-event net-info net-list net-name net-port-dumpxml net-port-list net-uuid
  node-memory-tune nodecpumap nodecpustats nodedev-dumpxml nodedev-event nodedev-info nodedev-list nodeinfo nodememstats nwfilter-binding-dumpxml nwfilter-binding-list nwfilter-dumpxml nwfilter-list pool-capabilities
  pool-dumpxml pool-event pool-info pool-list pool-name pool-uuid secret-dumpxml secret-event secret-list
  snapshot-info snapshot-list snapshot-parent sysinfo ttyconsole uri
  vcpuinfo version vncdisplay vol-dumpxml vol-info vol-key vol-list vol-name vol-path vol-pool`;

// Commands that show a setting, and change it if a value is given; or that read standard input, and a file if
// one is named.
const READS_WITHOUT_A_VALUE: Readonly<Record<string, string>> = {
  blkiotune: "config current domain json live",
  blkdeviotune: "config current device domain json live",
  blockjob: "bytes domain info json path raw",
  desc: "config current domain json live title",
  "cpu-baseline": "features file=- json migratable",
  "cpu-compare": "error file=- json validate",
  domifaddr: "domain full interface json source=arp source=lease",
  dommemstat: "config current domain json live",
  domiftune: "config current domain interface json live",
  dumpxml: "domain inactive json update-cpu",
  emulatorpin: "config current domain json live",
  explain: "all domain file=- json since",
  "managedsave-dumpxml": "domain",
  memtune: "config current domain json live",
  metadata: "config current domain json live uri",
  "net-desc": "config current live network title",
  "net-metadata": "config current live network uri",
  numatune: "config current domain json live",
  plan: "domain=NAME json stop",
  perf: "config current domain json live",
  schedinfo: "config current domain json live",
  "snapshot-current": "domain json name",
  "snapshot-dumpxml": "domain json snapshotname",
  validate: "file=- json print",
  vcpucount: "active config current domain json live maximum",
  vcpupin: "config current domain json live vcpu",
};

const CHANGES = {
  // They read a file that the caller names: CVE-2019-10161 of libvirt.
  files: "domxml-to-native save-image-dumpxml",
  // They run the emulator that the caller names: CVE-2019-10167 and CVE-2019-10168 of libvirt.
  emulators: "domcapabilities hypervisor-cpu-baseline hypervisor-cpu-compare",
  // Definitions, and their start at boot.
  definitions: "autostart define domrename undefine",
  // Running state of a guest. reap and recover end a guest and remove its remains.
  lifecycle:
    "create destroy reap reboot recover reset restore resume shutdown start suspend managedsave managedsave-define managedsave-remove save save-image-define dompmwakeup domjobabort",
  networks:
    "net-autostart net-create net-create-default net-define net-destroy net-start net-undefine net-update nwfilter-define nwfilter-undefine",
  // Drivers of the host's devices.
  hostDevices: "nodedev-detach nodedev-reattach nodedev-reset",
  pools:
    "pool-autostart pool-build pool-create pool-create-as pool-define pool-define-as pool-delete pool-destroy " +
    "pool-refresh pool-start pool-undefine find-storage-pool-sources find-storage-pool-sources-as",
  // A value is read by keys that may change only: virSecretGetValue() of libvirt.
  secrets: "secret-define secret-get-value secret-set-value secret-undefine",
  // Devices and sizes of a running guest.
  devices:
    "attach-device attach-disk attach-interface change-media detach-device detach-device-alias detach-disk detach-interface domif-setlink " +
    "iothreadadd iothreaddel iothreadpin iothreadset set-lifecycle-action setmaxmem setmem setvcpu setvcpus update-device",
  // Images and their labels.
  storage:
    "blockcommit blockcopy blockpull blockresize snapshot-create snapshot-create-as snapshot-delete snapshot-revert vol-clone vol-create vol-create-as vol-create-from vol-delete vol-download vol-resize vol-upload vol-wipe label-release label-restore label-set",
  // Input to the guest, its agent or its QEMU, and files with its memory or screen.
  guest: "console dump inject-nmi qemu-agent-command qemu-monitor-command screenshot send-key",
  // What libvirt refuses to a connection for reading since it asks the agent: virCheckReadOnlyGoto() in
  // libvirt-domain.c.
  agent:
    "domfsfreeze domfsinfo domfsthaw domfstrim domhostname domtime get-user-sshkeys guest-agent-timeout guestinfo guestvcpus set-user-password " +
    "set-user-sshkeys",
};

/** Commands that run a program of the caller's choice, or that are the remote access itself. */
const LOCAL = "edit nwfilter-edit managedsave-edit save-image-edit net-edit pool-edit shell virt-ssh-helper";

const words = (text: string): string[] => text.trim().split(/\s+/);
const named = (name: string): string => name.replace("label-", "label ");

const NAMES = await Promise.all([...COMMANDS.values()].map(async (load) => (await load()).command.spec.name));

/** Words of virCheckReadOnlyGoto() for the keys of the table. */
const WORDS = { "read-only": "reads", limited: "changes", full: "local" };

/** Returns what a key that may only read may do with a command, as the tests' table has it. */
function effectOf(use: CommandUse): string {
  return typeof use === "string" ? WORDS[weakestKey(use)] : use.with.toSorted().join(" ");
}

/** Returns the uses that a command names, which are functions of libvirt. */
function functionsOf(use: CommandUse): readonly string[] {
  const uses = typeof use === "string" ? [use] : [use.shows, use.otherwise];
  return uses.filter((name) => /^vir\w+$/.test(name));
}

describe("what a key that may only read may call", () => {
  const expected = new Map<string, string>([
    ...words(READS).map((name) => [named(name), "reads"] as const),
    ...Object.entries(READS_WITHOUT_A_VALUE),
    ...Object.values(CHANGES).flatMap((names) =>
      words(names).map((name) => [named(name), "changes"] as const),
    ),
    ...words(LOCAL).map((name) => [name, "local"] as const),
  ]);

  test.each(NAMES)("%s: as the table of the tests says", (name) => {
    expect(effectOf(useOfCommand(name))).toBe(expected.get(name) ?? "a command that the tests' table lacks");
  });

  test("is decided for each command of the tests' table", () => {
    expect(NAMES.toSorted().map(String)).toEqual([...expected.keys()].toSorted());
  });

  test("is what libvirt lets a connection for reading do, for each function that a command names", () => {
    const all = NAMES.map((name) => useOfCommand(name));
    const found = new Map(
      all.flatMap((use) =>
        functionsOf(use).map((api) => [api, api in READING ? "reads" : "changes"] as const),
      ),
    );
    const own = all.flatMap((use) =>
      typeof use === "string" && functionsOf(use).length > 0 ? [[use, WORDS[weakestKey(use)]] as const] : [],
    );
    const unknown = [...found.keys()].filter((api) => !(api in READING || api in CHANGING));
    expect(unknown.toSorted()).toEqual(["virDomainQemuAgentCommand", "virDomainQemuMonitorCommand"]);
    expect(own.filter(([api, effect]) => found.get(api) !== effect)).toEqual([]);
  });

  test("shows no less by its arguments than the command's two uses differ", () => {
    const pairs = NAMES.flatMap((name) => {
      const use = useOfCommand(name);
      return typeof use === "string" ? [] : [[name, weakestKey(use.shows), weakestKey(use.otherwise)]];
    });
    expect(pairs.filter(([, shows, otherwise]) => shows !== "read-only" || otherwise !== "limited")).toEqual(
      [],
    );
  });
});
