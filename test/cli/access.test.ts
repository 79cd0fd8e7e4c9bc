import { describe, expect, test } from "bun:test";
import { ACCESS } from "../../src/cli/access.ts";

// Lists each command by its effect, apart from the program's own table. A changing command listed as reading would be
// open to a key that may only read.
const READS = `
  audit capabilities cpu-baseline cpu-compare cpu-models cpu-stats doctor domblkerror domblkinfo domblklist domblkstat domcontrol domdisplay domid
  domif-getlink domiflist domifstat dominfo domjobinfo domname domstate domstats domuuid domxml-to-native
  event explain freecell freepages hostname iface-dumpxml iface-list iface-mac iface-name iothreadinfo label-show list managedsave-dumpxml
  maxvcpus net-dhcp-leases net-dumpxml net-event net-info net-list net-name net-port-dumpxml net-port-list net-uuid
  node-memory-tune nodecpumap nodecpustats nodedev-dumpxml nodedev-event nodedev-info nodedev-list nodeinfo nodememstats nwfilter-binding-dumpxml nwfilter-binding-list nwfilter-dumpxml nwfilter-list plan pool-capabilities
  pool-dumpxml pool-event pool-info pool-list pool-name pool-uuid save-image-dumpxml secret-dumpxml secret-event secret-list
  snapshot-dumpxml snapshot-info snapshot-list snapshot-parent sysinfo ttyconsole uri validate
  vcpuinfo version vncdisplay vol-dumpxml vol-info vol-key vol-list vol-name vol-path vol-pool`;

// Commands that show a setting, or change it if a value is given.
const READS_WITHOUT_A_VALUE: Readonly<Record<string, string>> = {
  blkiotune: "config current domain json live",
  blkdeviotune: "config current device domain json live",
  blockjob: "bytes domain info json path raw",
  desc: "config current domain json live title",
  domcapabilities: "arch json machine virttype",
  domifaddr: "domain full interface json source=arp source=lease",
  dommemstat: "config current domain json live",
  domiftune: "config current domain interface json live",
  dumpxml: "domain inactive json update-cpu",
  emulatorpin: "config current domain json live",
  "hypervisor-cpu-baseline": "arch features file json machine migratable model virttype",
  "hypervisor-cpu-compare": "arch error file json machine validate virttype",
  memtune: "config current domain json live",
  metadata: "config current domain json live uri",
  "net-desc": "config current live network title",
  "net-metadata": "config current live network uri",
  numatune: "config current domain json live",
  perf: "config current domain json live",
  schedinfo: "config current domain json live",
  "snapshot-current": "domain json name security-info",
  vcpucount: "active config current domain json live maximum",
  vcpupin: "config current domain json live vcpu",
};

const CHANGES = {
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
  // What libvirt refuses to a connection for reading since it asks the agent: virCheckReadOnlyGoto() in libvirt-domain.c.
  agent:
    "domfsfreeze domfsinfo domfsthaw domfstrim domhostname domtime get-user-sshkeys guest-agent-timeout guestinfo guestvcpus set-user-password " +
    "set-user-sshkeys",
};

/** Commands that run a program of the caller's choice, or that are the remote access itself. */
const LOCAL = "edit nwfilter-edit managedsave-edit save-image-edit net-edit pool-edit shell virt-ssh-helper";

const words = (text: string): string[] => text.trim().split(/\s+/);
const named = (name: string): string => name.replace("label-", "label ");

describe("what a key that may only read may call", () => {
  const expected = new Map<string, string>([
    ...words(READS).map((name) => [named(name), "reads"] as const),
    ...Object.entries(READS_WITHOUT_A_VALUE),
    ...Object.values(CHANGES).flatMap((names) =>
      words(names).map((name) => [named(name), "changes"] as const),
    ),
    ...words(LOCAL).map((name) => [name, "local"] as const),
  ]);

  test.each([...ACCESS])("%s: as the table of the tests says", (name, access) => {
    const is = typeof access === "object" ? access.readsWith.toSorted().join(" ") : access;
    expect(is).toBe(expected.get(name) ?? "a command that the tests' table does not have");
  });

  test("is decided for each command of the tests' table", () => {
    expect([...ACCESS.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
  });
});
