import type { CommandSpec } from "../../src/cli/command.ts";

/**
 * Commands of virsh 11.3.0 but for those of its own shell, such as `cd`, each with its operands and options.
 */
const TABLE = `
allocpages: pagesize pagecount cellno add all
attach-device: domain file persistent config live current
attach-disk: domain source target targetbus driver subdriver iothread cache io type mode sourcetype serial wwn alias rawio address multifunction print-xml source-protocol source-host-name source-host-transport source-host-socket throttle-groups persistent config live current
attach-interface: domain type source target mac script model alias inbound outbound persistent config live current print-xml managed source-mode
autostart: domain disable once
backup-begin: domain backupxml checkpointxml reuse-external
backup-dumpxml: domain xpath wrap
blkdeviotune: domain device group-name total-bytes-sec read-bytes-sec write-bytes-sec total-iops-sec read-iops-sec write-iops-sec total-bytes-sec-max read-bytes-sec-max write-bytes-sec-max total-iops-sec-max read-iops-sec-max write-iops-sec-max size-iops-sec total-bytes-sec-max-length read-bytes-sec-max-length write-bytes-sec-max-length total-iops-sec-max-length read-iops-sec-max-length write-iops-sec-max-length config live current
blkiotune: domain weight device-weights device-read-iops-sec device-write-iops-sec device-read-bytes-sec device-write-bytes-sec config live current
blockcommit: domain path bandwidth base shallow top active delete wait verbose timeout pivot keep-overlay async keep-relative bytes
blockcopy: domain path dest bandwidth shallow reuse-external blockdev wait verbose timeout pivot finish async xml format granularity buf-size bytes transient-job synchronous-writes print-xml
blockjob: domain path abort async pivot info bytes raw bandwidth
blockpull: domain path bandwidth base wait verbose timeout async keep-relative bytes
blockresize: domain path size capacity
capabilities: xpath wrap
change-media: domain path source eject insert update current live config force print-xml block
checkpoint-create: domain xmlfile redefine redefine-validate quiesce
checkpoint-create-as: domain name description print-xml quiesce diskspec
checkpoint-delete: domain checkpointname children children-only metadata
checkpoint-dumpxml: domain checkpointname security-info no-domain size xpath wrap
checkpoint-edit: domain checkpointname
checkpoint-info: domain checkpointname
checkpoint-list: domain parent roots leaves no-leaves tree from descendants name topological
checkpoint-parent: domain checkpointname
console: domain devname force resume safe
cpu-baseline: file features migratable
cpu-compare: file error validate
cpu-models: arch
cpu-stats: domain total start count
create: file console paused autodestroy pass-fds validate reset-nvram
define: file validate
desc: domain live config current title edit new-desc
destroy: domain graceful remove-logs
detach-device: domain file persistent config live current
detach-device-alias: domain alias config live current
detach-disk: domain target persistent config live current print-xml
detach-interface: domain type mac persistent config live current print-xml
dom-fd-associate: domain name pass-fds seclabel-writable seclabel-restore
domblkerror: domain
domblkinfo: domain device human all
domblklist: domain inactive details
domblkstat: domain device human
domblkthreshold: domain dev threshold
domcapabilities: virttype emulatorbin arch machine xpath wrap disable-deprecated-features
domcontrol: domain
domdirtyrate-calc: domain seconds mode
domdisplay: domain include-password type all
domdisplay-reload: domain type
domfsfreeze: domain mountpoint
domfsinfo: domain
domfsthaw: domain mountpoint
domfstrim: domain minimum mountpoint
domhostname: domain source
domid: domain
domif-getlink: domain interface config
domif-setlink: domain interface state config print-xml
domifaddr: domain interface full source
domiflist: domain inactive
domifstat: domain interface
domiftune: domain interface inbound outbound config live current
dominfo: domain
domjobabort: domain postcopy
domjobinfo: domain completed keep-completed anystats rawstats
domlaunchsecinfo: domain
dommemstat: domain period config live current
domname: domain
dompmsuspend: domain target duration
dompmwakeup: domain
domrename: domain new-name
domsetlaunchsecstate: domain secrethdr secret set-address
domstate: domain reason
domstats: state cpu-total balloon vcpu interface block perf iothread memory dirtyrate vm list-active list-inactive list-persistent list-transient list-running list-paused list-shutoff list-other raw enforce backing nowait domain
domthrottlegroupdel: domain group-name config live current
domthrottlegroupinfo: domain group-name inactive
domthrottlegrouplist: domain inactive
domthrottlegroupset: domain group-name total-bytes-sec read-bytes-sec write-bytes-sec total-iops-sec read-iops-sec write-iops-sec total-bytes-sec-max read-bytes-sec-max write-bytes-sec-max total-iops-sec-max read-iops-sec-max write-iops-sec-max size-iops-sec total-bytes-sec-max-length read-bytes-sec-max-length write-bytes-sec-max-length total-iops-sec-max-length read-iops-sec-max-length write-iops-sec-max-length config live current
domtime: domain now pretty sync time
domuuid: domain
domxml-from-native: format config
domxml-to-native: format domain xml
dump: domain file live crash bypass-cache reset verbose memory-only format
dumpxml: domain inactive security-info update-cpu migratable xpath wrap
edit: domain skip-validate
emulatorpin: domain cpulist config live current
event: domain event all loop timeout list timestamp
find-storage-pool-sources: type srcSpec
find-storage-pool-sources-as: type host port initiator
freecell: cellno all
freepages: cellno pagesize all
get-user-sshkeys: domain user
guest-agent-timeout: domain timeout
guestinfo: domain user os timezone hostname filesystem disk interface load
guestvcpus: domain cpulist enable disable
hostname:
hypervisor-cpu-baseline: file virttype emulator arch machine features migratable model
hypervisor-cpu-compare: file virttype emulator arch machine error validate
hypervisor-cpu-models: virttype emulator arch machine all
iface-begin:
iface-bridge: interface bridge no-stp delay no-start
iface-commit:
iface-define: file validate
iface-destroy: interface
iface-dumpxml: interface inactive xpath wrap
iface-edit: interface
iface-list: inactive all
iface-mac: interface
iface-name: interface
iface-rollback:
iface-start: interface
iface-unbridge: bridge no-start
iface-undefine: interface
inject-nmi: domain
iothreadadd: domain id config live current
iothreaddel: domain id config live current
iothreadinfo: domain config live current
iothreadpin: domain iothread cpulist config live current
iothreadset: domain id poll-max-ns poll-grow poll-shrink thread-pool-min thread-pool-max config live current
list: inactive all transient persistent with-snapshot without-snapshot with-checkpoint without-checkpoint state-running state-paused state-shutoff state-other autostart no-autostart with-managed-save without-managed-save uuid name id table managed-save title
lxc-enter-namespace: domain noseclabel cmd
managedsave: domain bypass-cache running paused verbose
managedsave-define: domain xml running paused
managedsave-dumpxml: domain security-info xpath wrap
managedsave-edit: domain running paused
managedsave-remove: domain
maxvcpus: type
memtune: domain hard-limit soft-limit swap-hard-limit min-guarantee config live current
metadata: domain uri live config current edit key set remove
migrate: domain desturi live offline p2p direct tunnelled persistent undefinesource suspend copy-storage-all copy-storage-inc copy-storage-synchronous-writes change-protection unsafe verbose compressed auto-converge rdma-pin-all abort-on-error postcopy postcopy-after-precopy postcopy-resume zerocopy migrateuri graphicsuri listen-address dname timeout timeout-suspend timeout-postcopy xml migrate-disks migrate-disks-detect-zeroes disks-port disks-uri comp-methods comp-mt-level comp-mt-threads comp-mt-dthreads comp-xbzrle-cache auto-converge-initial auto-converge-increment persistent-xml tls postcopy-bandwidth parallel parallel-connections bandwidth tls-destination comp-zlib-level comp-zstd-level available-switchover-bandwidth
migrate-compcache: domain size
migrate-getmaxdowntime: domain
migrate-getspeed: domain postcopy
migrate-postcopy: domain
migrate-setmaxdowntime: domain downtime
migrate-setspeed: domain bandwidth postcopy
net-autostart: network disable
net-create: file validate
net-define: file validate
net-desc: network live config current title edit new-desc
net-destroy: network
net-dhcp-leases: network mac
net-dumpxml: network inactive xpath wrap
net-edit: network
net-event: network event loop timeout list timestamp
net-info: network
net-list: inactive all persistent transient autostart no-autostart uuid name table title
net-metadata: network uri live config current edit key set remove
net-name: network
net-port-create: network file validate
net-port-delete: network port
net-port-dumpxml: network port xpath wrap
net-port-list: network uuid table
net-start: network
net-undefine: network
net-update: network command section xml parent-index config live current
net-uuid: network
node-memory-tune: shm-pages-to-scan shm-sleep-millisecs shm-merge-across-nodes
nodecpumap: pretty
nodecpustats: cpu percent
nodedev-autostart: device disable
nodedev-create: file validate
nodedev-define: file validate
nodedev-destroy: device
nodedev-detach: device driver
nodedev-dumpxml: device inactive xpath wrap
nodedev-event: device event loop timeout list timestamp
nodedev-info: device
nodedev-list: tree cap inactive all persistent transient
nodedev-reattach: device
nodedev-reset: device
nodedev-start: device
nodedev-undefine: device
nodedev-update: device file config live current
nodeinfo:
nodememstats: cell
nodesevinfo:
nodesuspend: target duration
numatune: domain mode nodeset config live current
nwfilter-binding-create: file validate
nwfilter-binding-delete: binding
nwfilter-binding-dumpxml: binding xpath wrap
nwfilter-binding-list:
nwfilter-define: file validate
nwfilter-dumpxml: nwfilter xpath wrap
nwfilter-edit: nwfilter
nwfilter-list:
nwfilter-undefine: nwfilter
perf: domain enable disable config live current
pool-autostart: pool disable
pool-build: pool no-overwrite overwrite
pool-capabilities:
pool-create: file build no-overwrite overwrite
pool-create-as: name type print-xml source-host source-path source-dev source-name target source-format auth-type auth-username secret-usage secret-uuid adapter-name adapter-wwnn adapter-wwpn adapter-parent adapter-parent-wwnn adapter-parent-wwpn adapter-parent-fabric-wwn source-protocol-ver source-initiator build no-overwrite overwrite
pool-define: file validate
pool-define-as: name type print-xml source-host source-path source-dev source-name target source-format auth-type auth-username secret-usage secret-uuid adapter-name adapter-wwnn adapter-wwpn adapter-parent adapter-parent-wwnn adapter-parent-wwpn adapter-parent-fabric-wwn source-protocol-ver source-initiator
pool-delete: pool
pool-destroy: pool
pool-dumpxml: pool inactive xpath wrap
pool-edit: pool
pool-event: pool event loop timeout list timestamp
pool-info: pool bytes
pool-list: inactive all transient persistent autostart no-autostart type details uuid name
pool-name: pool
pool-refresh: pool
pool-start: pool build no-overwrite overwrite
pool-undefine: pool
pool-uuid: pool
qemu-agent-command: domain timeout async block pretty cmd
qemu-attach: pid
qemu-monitor-command: domain hmp pretty return-value pass-fds cmd
qemu-monitor-event: domain event pretty loop timeout regex no-case timestamp
reboot: domain mode
reset: domain
restore: file bypass-cache parallel-channels xml running paused reset-nvram
resume: domain
save: domain file bypass-cache parallel-channels image-format xml running paused verbose
save-image-define: file xml running paused
save-image-dumpxml: file security-info xpath wrap
save-image-edit: file running paused
schedinfo: domain weight cap current config live set
screenshot: domain file screen
secret-define: file validate
secret-dumpxml: secret xpath wrap
secret-event: secret event loop timeout list timestamp
secret-get-value: secret plain
secret-list: ephemeral no-ephemeral private no-private
secret-set-value: secret file plain interactive base64
secret-undefine: secret
send-key: domain codeset holdtime keycode
send-process-signal: domain pid signame
set-lifecycle-action: domain type action config live current
set-user-password: domain user password encrypted
set-user-sshkeys: domain user file reset remove
setmaxmem: domain size config live current
setmem: domain size config live current
setvcpu: domain vcpulist enable disable config live current
setvcpus: domain count maximum config live current guest hotpluggable
shutdown: domain mode
snapshot-create: domain xmlfile redefine current no-metadata halt disk-only reuse-external quiesce atomic live validate
snapshot-create-as: domain name description print-xml no-metadata halt disk-only reuse-external quiesce atomic live validate memspec diskspec
snapshot-current: domain name security-info snapshotname
snapshot-delete: domain snapshotname current children children-only metadata
snapshot-dumpxml: domain snapshotname security-info xpath wrap
snapshot-edit: domain snapshotname current rename clone
snapshot-info: domain snapshotname current
snapshot-list: domain parent roots leaves no-leaves metadata no-metadata inactive active disk-only internal external tree from current descendants name topological
snapshot-parent: domain snapshotname current
snapshot-revert: domain snapshotname current running paused force reset-nvram
start: domain console paused autodestroy bypass-cache force-boot pass-fds reset-nvram
suspend: domain
sysinfo:
ttyconsole: domain
undefine: domain managed-save storage remove-all-storage delete-storage-volume-snapshots wipe-storage snapshots-metadata checkpoints-metadata nvram keep-nvram tpm keep-tpm
update-device: domain file persistent config live current force
update-memory-device: domain config live current print-xml alias node requested-size
uri:
vcpucount: domain maximum active live config current guest
vcpuinfo: domain pretty
vcpupin: domain vcpu cpulist config live current
version: daemon
vncdisplay: domain
vol-clone: vol newname pool prealloc-metadata reflink print-xml
vol-create: pool file prealloc-metadata validate
vol-create-as: pool name capacity allocation format backing-vol backing-vol-format prealloc-metadata print-xml
vol-create-from: pool file vol inputpool prealloc-metadata reflink validate
vol-delete: vol pool delete-snapshots
vol-download: vol file pool offset length sparse
vol-dumpxml: vol pool xpath wrap
vol-info: vol pool bytes physical
vol-key: vol pool
vol-list: pool details
vol-name: vol
vol-path: vol pool
vol-pool: vol uuid
vol-resize: vol capacity pool allocate delta shrink
vol-upload: vol file pool offset length sparse
vol-wipe: vol pool algorithm
`;

const OPTIONS: ReadonlyMap<string, readonly string[]> = new Map(
  TABLE.trim()
    .split("\n")
    .map((line) => {
      const [name = "", options = ""] = line.split(":");
      return [name, options.split(" ").filter((word) => word !== "")] as const;
    }),
);

/** Commands of virsh, by name. */
export const VIRSH_COMMANDS: readonly string[] = [...OPTIONS.keys()];

/**
 * Returns the names of a command's operands and options in virsh; none for a command that virsh does not
 * have.
 */
export function virshOptionsOf(command: string): readonly string[] {
  return OPTIONS.get(command) ?? [];
}

/** Lists the commands of virsh that svirt does not have. */
export function listMissing(commands: readonly string[]): readonly string[] {
  const own = new Set(commands);
  return VIRSH_COMMANDS.filter((name) => !own.has(name));
}

/** A command of svirt, with the options of virsh's command of that name that it does not have. */
export interface LackingCommand {
  readonly name: string;
  readonly options: readonly string[];
}

/** Lists the commands that lack options of virsh's. */
export function listLacking(specs: readonly CommandSpec[]): readonly LackingCommand[] {
  return specs
    .map(({ name, operands, options }) => {
      const own = new Set([...operands, ...options].map((known) => known.name));
      return { name, options: virshOptionsOf(name).filter((option) => !own.has(option)) };
    })
    .filter(({ options }) => options.length > 0)
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
