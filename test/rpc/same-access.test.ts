import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { lackOf, makeFolder, onNewNode, type Said, TEST_MS } from "./client-node.ts";

const ASIDE = lackOf(["virsh"]);
const folder = makeFolder();
const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;
const SECRET = "11111111-2222-3333-4444-555555555555";

for (const [name, xml] of Object.entries({
  domain:
    "<domain type='qemu'><name>vm1</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><devices><disk type='file'><driver name='qemu' type='raw'/><source file='/srv/same-access/v'/><target dev='vda' bus='virtio'/></disk><interface type='user'><mac address='52:54:00:00:00:01'/></interface></devices></domain>",
  network: "<network><name>n</name><bridge name='virbr77'/></network>",
  secret: `<secret ephemeral='no' private='no'><uuid>${SECRET}</uuid></secret>`,
  cpu: "<cpu><model>qemu64</model></cpu>",
}))
  writeFileSync(join(folder, `${name}.xml`), xml);

/**
 * Command lines of virsh that svirt has as well: each command that shows, and each that shows more or changes
 * by its arguments.
 */
const LINES = `
list --all
dominfo vm1
domstate vm1
domid vm1
domuuid vm1
dumpxml vm1
dumpxml vm1 --security-info
dumpxml vm1 --migratable
domblklist vm1
domblkinfo vm1 vda
domiflist vm1
domcontrol vm1
domstats vm1
domxml-to-native qemu-argv --domain vm1
vcpucount vm1
vcpucount vm1 --guest
vcpuinfo vm1
vcpupin vm1
vcpupin vm1 0 0
emulatorpin vm1
emulatorpin vm1 0 --config
schedinfo vm1
schedinfo vm1 --set cpu_shares=2 --config
memtune vm1
memtune vm1 --hard-limit 1000000 --config
blkiotune vm1
blkiotune vm1 --weight 500 --config
blkdeviotune vm1 vda
blkdeviotune vm1 vda --total-bytes-sec 1 --config
domiftune vm1 52:54:00:00:00:01
domiftune vm1 52:54:00:00:00:01 --inbound 1 --config
numatune vm1
numatune vm1 --mode strict --config
perf vm1
perf vm1 --enable cmt --config
desc vm1
desc vm1 text
metadata vm1 urn:a
metadata vm1 urn:a --remove
iothreadinfo vm1
iothreadadd vm1 1 --config
domifaddr vm1
domifaddr vm1 --source arp
domifaddr vm1 --source agent
dommemstat vm1
dommemstat vm1 --period 1 --config
managedsave-dumpxml vm1
managedsave-dumpxml vm1 --security-info
save-image-dumpxml /srv/same-access/v
snapshot-list vm1
snapshot-current vm1
domjobinfo vm1
domfsinfo vm1
domhostname vm1
domtime vm1
guestinfo vm1
guestvcpus vm1
get-user-sshkeys vm1 root
autostart vm1
setmem vm1 32768 --config
setvcpus vm1 1 --config
start vm1
destroy vm1
shutdown vm1
undefine vm1
managedsave vm1
screenshot vm1 x
send-key vm1 KEY_A
qemu-monitor-command vm1 query-status
qemu-agent-command vm1 {}
capabilities
domcapabilities
nodeinfo
nodecpumap
nodecpustats
nodememstats
freecell
sysinfo
maxvcpus
cpu-models x86_64
hypervisor-cpu-compare cpu.xml
hypervisor-cpu-baseline cpu.xml
version
uri
hostname
nodedev-list
nodedev-dumpxml computer
nodedev-reset computer
iface-list
iface-dumpxml lo
net-list --all
net-info n
net-dumpxml n
net-desc n
net-desc n text
net-dhcp-leases n
net-start n
net-autostart n
net-undefine n
nwfilter-list
nwfilter-dumpxml clean-traffic
nwfilter-undefine clean-traffic
nwfilter-binding-list
pool-list --all
pool-info p
pool-dumpxml p
pool-refresh p
pool-capabilities
pool-destroy p
find-storage-pool-sources dir
vol-list p
vol-info v --pool p
vol-dumpxml v --pool p
vol-path v --pool p
vol-key v --pool p
vol-download v x --pool p
vol-delete v --pool p
vol-wipe v --pool p
vol-resize v 8M --pool p
secret-list
secret-dumpxml ${SECRET}
secret-get-value ${SECRET}
secret-undefine ${SECRET}
`
  .trim()
  .split("\n");

/**
 * Whether a call was refused since the connection or the key is for reading. virReportRestrictedError() of
 * libvirt
 */
function isRefused({ err }: Said): boolean {
  return /operation forbidden|this key is read-only/.test(err);
}

describe.skipIf(ASIDE !== "")(`a read-only key${ASIDE}`, () => {
  test(
    "is refused by commands what libvirt refuses to virsh -r, and nothing else",
    () => {
      const setUp = [
        "mkdir -p /srv/same-access; truncate -s 1M /srv/same-access/v; virsh pool-define-as p dir --target /srv/same-access",
        "virsh pool-start p; virsh define domain.xml; virsh net-define network.xml; virsh secret-define secret.xml",
      ];
      const both = LINES.flatMap((line) => [
        `virsh -r ${line}`,
        `SSH_ORIGINAL_COMMAND='svirt ${line}' ${SVIRT} shell --read-only`,
      ]);
      const said = onNewNode(folder, [...setUp, ...both, "rm -r /srv/same-access"]).slice(setUp.length);
      const refused = LINES.map((line, at) => {
        const [virsh, svirt] = [said[2 * at], said[2 * at + 1]];
        return [
          line,
          virsh !== undefined && isRefused(virsh),
          svirt !== undefined && isRefused(svirt),
        ] as const;
      });
      expect(refused.filter(([, byVirsh, bySvirt]) => byVirsh !== bySvirt)).toEqual([]);
      expect(refused.filter(([, byVirsh]) => byVirsh).length).toBeWithin(40, LINES.length - 40);
    },
    2 * TEST_MS,
  );
});
