# bash completion for svirt. Made by scripts/write-docs.ts from src/cli/commands/; do not edit.
# shellcheck shell=bash

_svirt() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} options='' wants=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W 'define edit desc metadata domrename undefine create start shutdown reboot reset destroy suspend resume dompmwakeup save restore save-image-dumpxml save-image-define save-image-edit managedsave managedsave-remove managedsave-dumpxml managedsave-define managedsave-edit dump domjobinfo domjobabort screenshot list dominfo domstate domid domuuid domname dumpxml domblklist domblkinfo domblkerror domblkstat domiflist domifstat domifaddr domif-getlink domcontrol iothreadinfo dommemstat console ttyconsole domstats vcpuinfo cpu-stats vcpucount vncdisplay domdisplay setvcpus setvcpu setmaxmem setmem event inject-nmi send-key snapshot-create snapshot-create-as snapshot-list snapshot-current snapshot-info snapshot-dumpxml snapshot-parent snapshot-revert snapshot-delete blockcommit blockcopy blockpull blockjob blockresize vcpupin emulatorpin numatune perf iothreadadd iothreaddel iothreadpin iothreadset schedinfo set-lifecycle-action memtune blkiotune blkdeviotune domiftune attach-disk detach-disk change-media attach-interface detach-interface domif-setlink attach-device detach-device detach-device-alias update-device autostart domtime domhostname domfsinfo guestvcpus guest-agent-timeout guestinfo domfsfreeze domfsthaw domfstrim set-user-password get-user-sshkeys set-user-sshkeys qemu-agent-command qemu-monitor-command capabilities domcapabilities nodeinfo nodecpumap nodecpustats nodememstats freecell freepages node-memory-tune sysinfo maxvcpus cpu-models cpu-compare cpu-baseline hypervisor-cpu-compare hypervisor-cpu-baseline nodedev-event nodedev-list nodedev-dumpxml nodedev-info nodedev-detach nodedev-reattach nodedev-reset iface-list iface-dumpxml iface-name iface-mac uri hostname version validate domxml-to-native vol-list vol-create vol-create-as vol-create-from vol-clone vol-resize vol-delete vol-upload vol-download vol-wipe vol-info vol-dumpxml vol-name vol-key vol-path vol-pool net-define net-edit net-undefine net-create net-create-default net-start net-destroy net-autostart net-desc net-metadata net-update net-list net-info net-dumpxml net-name net-uuid net-port-list net-port-dumpxml net-dhcp-leases net-event nwfilter-define nwfilter-edit nwfilter-undefine nwfilter-list nwfilter-dumpxml nwfilter-binding-list nwfilter-binding-dumpxml pool-define pool-define-as pool-edit pool-undefine pool-create pool-create-as pool-build pool-start pool-refresh pool-destroy pool-delete pool-autostart pool-list pool-info pool-dumpxml pool-name pool-uuid pool-capabilities pool-event find-storage-pool-sources find-storage-pool-sources-as secret-define secret-undefine secret-set-value secret-get-value secret-event secret-list secret-dumpxml label plan reap recover audit explain doctor shell virt-ssh-helper help' -- "$word")
    return
  fi
  case $command in
    label)
      if ((COMP_CWORD == 2)); then
        mapfile -t COMPREPLY < <(compgen -W 'show set restore release' -- "$word")
        return
      fi
      command+=" ${COMP_WORDS[2]}"
      ;;
  esac
  case $command in
    define) options='--validate --json --crash-drill --help' wants=file ;;
    edit) options='--dry-run --crash-drill --help' wants=domain ;;
    desc) options='--title --live --config --current --dry-run --crash-drill --help' wants=domain ;;
    metadata) options='--set --key --remove --live --config --current --dry-run --crash-drill --help' wants=domain ;;
    domrename) options='--crash-drill --help' wants=domain ;;
    undefine) options='--managed-save --snapshots-metadata --checkpoints-metadata --nvram --keep-nvram --tpm --keep-tpm --storage --remove-all-storage --wipe-storage --crash-drill --help' wants=domain ;;
    create) options='--paused --validate --crash-drill --help' wants=file ;;
    start) options='--paused --force-boot --json --crash-drill --help' wants=domain ;;
    shutdown) options='--mode --help' wants=domain ;;
    reboot) options='--mode --help' wants=domain ;;
    reset) options='--help' wants=domain ;;
    destroy) options='--graceful --crash-drill --help' wants=domain ;;
    suspend) options='--help' wants=domain ;;
    resume) options='--help' wants=domain ;;
    dompmwakeup) options='--help' wants=domain ;;
    save) options='--xml --running --paused --verbose --crash-drill --help' wants=domain ;;
    restore) options='--xml --running --paused --crash-drill --help' wants=file ;;
    save-image-dumpxml) options='--security-info --help' wants=file ;;
    save-image-define) options='--running --paused --help' wants=file ;;
    save-image-edit) options='--running --paused --help' wants=file ;;
    managedsave) options='--running --paused --verbose --crash-drill --help' wants=domain ;;
    managedsave-remove) options='--crash-drill --help' wants=domain ;;
    managedsave-dumpxml) options='--security-info --help' wants=domain ;;
    managedsave-define) options='--running --paused --help' wants=domain ;;
    managedsave-edit) options='--running --paused --help' wants=domain ;;
    dump) options='--live --crash --reset --memory-only --format --verbose --crash-drill --help' wants=domain ;;
    domjobinfo) options='--completed --keep-completed --json --help' wants=domain ;;
    domjobabort) options='--help' wants=domain ;;
    screenshot) options='--screen --help' wants=domain ;;
    list) options='--all --inactive --uuid --id --name --table --title --managed-save --persistent --transient --state-running --state-paused --state-shutoff --state-other --with-managed-save --without-managed-save --autostart --no-autostart --with-snapshot --without-snapshot --with-checkpoint --without-checkpoint --json --help' ;;
    dominfo) options='--json --help' wants=domain ;;
    domstate) options='--reason --json --help' wants=domain ;;
    domid) options='--json --help' wants=domain ;;
    domuuid) options='--json --help' wants=domain ;;
    domname) options='--json --help' wants=domain ;;
    dumpxml) options='--inactive --update-cpu --migratable --security-info --json --help' wants=domain ;;
    domblklist) options='--inactive --details --json --help' wants=domain ;;
    domblkinfo) options='--human --all --json --help' wants=domain ;;
    domblkerror) options='--json --help' wants=domain ;;
    domblkstat) options='--human --json --help' wants=domain ;;
    domiflist) options='--inactive --json --help' wants=domain ;;
    domifstat) options='--json --help' wants=domain ;;
    domifaddr) options='--full --source --json --help' wants=domain ;;
    domif-getlink) options='--config --json --help' wants=domain ;;
    domcontrol) options='--help' wants=domain ;;
    iothreadinfo) options='--live --config --current --json --help' wants=domain ;;
    dommemstat) options='--period --live --config --current --dry-run --crash-drill --json --help' wants=domain ;;
    console) options='--devname --force --safe --escape --help' wants=domain ;;
    ttyconsole) options='--json --help' wants=domain ;;
    domstats) options='--state --cpu-total --balloon --vcpu --interface --block --perf --iothread --memory --dirtyrate --vm --list-active --list-inactive --list-persistent --list-transient --list-running --list-paused --list-shutoff --list-other --raw --enforce --backing --nowait --json --help' wants=domain ;;
    vcpuinfo) options='--pretty --json --help' wants=domain ;;
    cpu-stats) options='--total --json --help' wants=domain ;;
    vcpucount) options='--maximum --active --guest --live --config --current --json --help' wants=domain ;;
    vncdisplay) options='--json --help' wants=domain ;;
    domdisplay) options='--type --all --json --help' wants=domain ;;
    setvcpus) options='--maximum --guest --hotpluggable --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    setvcpu) options='--enable --disable --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    setmaxmem) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    setmem) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    event) options='--domain --all --event --loop --timeout --list --timestamp --help' ;;
    inject-nmi) options='--help' wants=domain ;;
    send-key) options='--codeset --holdtime --help' wants=domain ;;
    snapshot-create) options='--redefine --current --no-metadata --disk-only --reuse-external --halt --quiesce --atomic --validate --help' wants=domain ;;
    snapshot-create-as) options='--disk-only --memspec --no-metadata --halt --quiesce --atomic --validate --reuse-external --print-xml --dry-run --crash-drill --help' wants=domain ;;
    snapshot-list) options='--parent --roots --leaves --no-leaves --metadata --no-metadata --inactive --active --disk-only --internal --external --tree --from --current --descendants --name --topological --json --help' wants=domain ;;
    snapshot-current) options='--name --security-info --json --help' wants=domain ;;
    snapshot-info) options='--current --json --help' wants=domain ;;
    snapshot-dumpxml) options='--current --security-info --json --help' wants=domain ;;
    snapshot-parent) options='--current --help' wants=domain ;;
    snapshot-revert) options='--current --running --force --crash-drill --help' wants=domain ;;
    snapshot-delete) options='--current --children --children-only --metadata --help' wants=domain ;;
    blockcommit) options='--base --shallow --top --active --pivot --keep-overlay --bytes --wait --verbose --timeout --dry-run --crash-drill --help' wants=domain ;;
    blockcopy) options='--xml --format --blockdev --shallow --reuse-external --pivot --finish --granularity --buf-size --synchronous-writes --transient-job --print-xml --bytes --wait --verbose --timeout --dry-run --crash-drill --help' wants=domain ;;
    blockpull) options='--base --bytes --wait --verbose --timeout --dry-run --crash-drill --help' wants=domain ;;
    blockjob) options='--info --abort --pivot --async --bytes --raw --json --help' wants=domain ;;
    blockresize) options='--capacity --help' wants=domain ;;
    vcpupin) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    emulatorpin) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    numatune) options='--mode --nodeset --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    perf) options='--enable --disable --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    iothreadadd) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    iothreaddel) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    iothreadpin) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    iothreadset) options='--poll-max-ns --poll-grow --poll-shrink --thread-pool-min --thread-pool-max --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    schedinfo) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    set-lifecycle-action) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    memtune) options='--hard-limit --soft-limit --swap-hard-limit --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    blkiotune) options='--weight --device-weights --device-read-iops-sec --device-write-iops-sec --device-read-bytes-sec --device-write-bytes-sec --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    blkdeviotune) options='--total-bytes-sec --read-bytes-sec --write-bytes-sec --total-iops-sec --read-iops-sec --write-iops-sec --total-bytes-sec-max --read-bytes-sec-max --write-bytes-sec-max --total-iops-sec-max --read-iops-sec-max --write-iops-sec-max --size-iops-sec --group-name --total-bytes-sec-max-length --read-bytes-sec-max-length --write-bytes-sec-max-length --total-iops-sec-max-length --read-iops-sec-max-length --write-iops-sec-max-length --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    domiftune) options='--inbound --outbound --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    attach-disk) options='--targetbus --driver --subdriver --iothread --cache --io --type --mode --sourcetype --serial --wwn --address --multifunction --source-protocol --source-host-name --source-host-transport --source-host-socket --throttle-groups --alias --print-xml --persistent --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    detach-disk) options='--print-xml --persistent --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    change-media) options='--eject --insert --update --force --block --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    attach-interface) options='--target --mac --model --alias --inbound --outbound --managed --print-xml --persistent --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    detach-interface) options='--mac --print-xml --persistent --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    domif-setlink) options='--persistent --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    attach-device) options='--persistent --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    detach-device) options='--persistent --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    detach-device-alias) options='--live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    update-device) options='--force --persistent --live --config --current --dry-run --json --crash-drill --help' wants=domain ;;
    autostart) options='--disable --once --crash-drill --help' wants=domain ;;
    domtime) options='--now --pretty --sync --time --help' wants=domain ;;
    domhostname) options='--source --json --help' wants=domain ;;
    domfsinfo) options='--json --help' wants=domain ;;
    guestvcpus) options='--cpulist --enable --disable --json --help' wants=domain ;;
    guest-agent-timeout) options='--timeout --help' wants=domain ;;
    guestinfo) options='--user --os --timezone --hostname --filesystem --disk --interface --load --json --help' wants=domain ;;
    domfsfreeze) options='--help' wants=domain ;;
    domfsthaw) options='--help' wants=domain ;;
    domfstrim) options='--minimum --help' wants=domain ;;
    set-user-password) options='--encrypted --help' wants=domain ;;
    get-user-sshkeys) options='--help' wants=domain ;;
    set-user-sshkeys) options='--reset --remove --help' wants=domain ;;
    qemu-agent-command) options='--timeout --async --block --pretty --help' wants=domain ;;
    qemu-monitor-command) options='--hmp --pretty --json --help' wants=domain ;;
    capabilities) options='--json --help' ;;
    domcapabilities) options='--virttype --emulatorbin --arch --machine --json --help' ;;
    nodeinfo) options='--json --help' ;;
    nodecpumap) options='--pretty --json --help' ;;
    nodecpustats) options='--cpu --percent --json --help' ;;
    nodememstats) options='--cell --json --help' ;;
    freecell) options='--all --json --help' ;;
    freepages) options='--cellno --pagesize --all --json --help' ;;
    node-memory-tune) options='--json --help' ;;
    sysinfo) options='--help' ;;
    maxvcpus) options='--type --json --help' ;;
    cpu-models) options='--json --help' ;;
    cpu-compare) options='--error --validate --json --help' wants=file ;;
    cpu-baseline) options='--features --migratable --json --help' wants=file ;;
    hypervisor-cpu-compare) options='--virttype --emulator --arch --machine --error --validate --json --help' wants=file ;;
    hypervisor-cpu-baseline) options='--virttype --emulator --arch --machine --model --features --migratable --json --help' wants=file ;;
    nodedev-event) options='--device --event --loop --timeout --list --timestamp --help' ;;
    nodedev-list) options='--tree --cap --json --help' ;;
    nodedev-dumpxml) options='--json --help' wants=device ;;
    nodedev-info) options='--json --help' wants=device ;;
    nodedev-detach) options='--driver --json --crash-drill --help' wants=device ;;
    nodedev-reattach) options='--json --crash-drill --help' wants=device ;;
    nodedev-reset) options='--json --crash-drill --help' wants=device ;;
    iface-list) options='--inactive --all --json --help' ;;
    iface-dumpxml) options='--json --help' ;;
    iface-name) options='--json --help' ;;
    iface-mac) options='--json --help' ;;
    uri) options='--json --help' ;;
    hostname) options='--json --help' ;;
    version) options='--json --help' ;;
    validate) options='--print --json --help' wants=file ;;
    domxml-to-native) options='--domain --json --help' ;;
    vol-list) options='--details --name --json --help' wants=pool ;;
    vol-create) options='--prealloc-metadata --validate --json --help' wants=place ;;
    vol-create-as) options='--allocation --format --backing-vol --backing-vol-format --prealloc-metadata --print-xml --json --help' wants=place ;;
    vol-create-from) options='--inputpool --inputformat --prealloc-metadata --reflink --verbose --validate --json --help' wants=pool ;;
    vol-clone) options='--pool --prealloc-metadata --reflink --json --help' wants=vol ;;
    vol-resize) options='--pool --allocate --delta --shrink --help' wants=vol ;;
    vol-delete) options='--pool --json --help' wants=vol ;;
    vol-upload) options='--pool --offset --length --sparse --verbose --help' wants=vol ;;
    vol-download) options='--pool --offset --length --sparse --verbose --help' wants=vol ;;
    vol-wipe) options='--pool --algorithm --help' wants=vol ;;
    vol-info) options='--bytes --physical --pool --json --help' wants=vol ;;
    vol-dumpxml) options='--pool --json --help' wants=vol ;;
    vol-name) options='--json --help' wants=vol ;;
    vol-key) options='--pool --json --help' wants=vol ;;
    vol-path) options='--pool --json --help' wants=vol ;;
    vol-pool) options='--uuid --json --help' wants=vol ;;
    net-define) options='--validate --json --crash-drill --help' wants=file ;;
    net-edit) options='--dry-run --crash-drill --help' wants=network ;;
    net-undefine) options='--crash-drill --help' wants=network ;;
    net-create) options='--validate --crash-drill --help' wants=file ;;
    net-create-default) options='--crash-drill --help' ;;
    net-start) options='--crash-drill --help' wants=network ;;
    net-destroy) options='--crash-drill --help' wants=network ;;
    net-autostart) options='--disable --crash-drill --help' wants=network ;;
    net-desc) options='--title --live --config --current --crash-drill --help' wants=network ;;
    net-metadata) options='--set --key --remove --live --config --current --crash-drill --help' wants=network ;;
    net-update) options='--parent-index --config --live --current --crash-drill --help' wants=network ;;
    net-list) options='--inactive --all --persistent --transient --autostart --no-autostart --uuid --name --table --json --help' ;;
    net-info) options='--json --help' wants=network ;;
    net-dumpxml) options='--inactive --json --help' wants=network ;;
    net-name) options='--json --help' wants=network ;;
    net-uuid) options='--json --help' wants=network ;;
    net-port-list) options='--uuid --table --json --help' wants=network ;;
    net-port-dumpxml) options='--json --help' wants=network ;;
    net-dhcp-leases) options='--mac --json --help' wants=network ;;
    net-event) options='--network --event --loop --timeout --list --timestamp --help' ;;
    nwfilter-define) options='--validate --json --crash-drill --help' wants=file ;;
    nwfilter-edit) options='--dry-run --crash-drill --help' ;;
    nwfilter-undefine) options='--crash-drill --help' ;;
    nwfilter-list) options='--json --help' ;;
    nwfilter-dumpxml) options='--json --help' ;;
    nwfilter-binding-list) options='--json --help' ;;
    nwfilter-binding-dumpxml) options='--json --help' ;;
    pool-define) options='--validate --json --crash-drill --help' wants=file ;;
    pool-define-as) options='--print-xml --auth-type --auth-username --secret-usage --secret-uuid --adapter-name --adapter-wwnn --adapter-wwpn --adapter-parent --adapter-parent-wwnn --adapter-parent-wwpn --adapter-parent-fabric-wwn --source-protocol-ver --source-initiator --crash-drill --help' ;;
    pool-edit) options='--dry-run --crash-drill --help' wants=pool ;;
    pool-undefine) options='--crash-drill --help' wants=pool ;;
    pool-create) options='--build --no-overwrite --overwrite --help' wants=file ;;
    pool-create-as) options='--print-xml --auth-type --auth-username --secret-usage --secret-uuid --adapter-name --adapter-wwnn --adapter-wwpn --adapter-parent --adapter-parent-wwnn --adapter-parent-wwpn --adapter-parent-fabric-wwn --source-protocol-ver --source-initiator --build --no-overwrite --overwrite --help' ;;
    pool-build) options='--no-overwrite --overwrite --help' wants=pool ;;
    pool-start) options='--build --no-overwrite --overwrite --help' wants=pool ;;
    pool-refresh) options='--help' wants=pool ;;
    pool-destroy) options='--help' wants=pool ;;
    pool-delete) options='--help' wants=pool ;;
    pool-autostart) options='--disable --crash-drill --help' wants=pool ;;
    pool-list) options='--inactive --all --persistent --transient --autostart --no-autostart --type --details --uuid --name --json --help' ;;
    pool-info) options='--bytes --json --help' wants=pool ;;
    pool-dumpxml) options='--inactive --json --help' wants=pool ;;
    pool-name) options='--json --help' wants=pool ;;
    pool-uuid) options='--json --help' wants=pool ;;
    pool-capabilities) options='--json --help' ;;
    pool-event) options='--pool --event --loop --timeout --list --timestamp --help' ;;
    find-storage-pool-sources) options='--help' ;;
    find-storage-pool-sources-as) options='--help' ;;
    secret-define) options='--validate --json --crash-drill --help' wants=file ;;
    secret-undefine) options='--crash-drill --help' wants=secret ;;
    secret-set-value) options='--file --plain --base64 --crash-drill --help' wants=secret ;;
    secret-get-value) options='--plain --help' wants=secret ;;
    secret-event) options='--secret --event --loop --timeout --list --timestamp --help' ;;
    secret-list) options='--ephemeral --no-ephemeral --private --no-private --json --help' ;;
    secret-dumpxml) options='--json --help' wants=secret ;;
    "label show") options='--pool --json --help' wants=file ;;
    "label set") options='--pool --dry-run --json --help' wants=file ;;
    "label restore") options='--pool --dry-run --json --help' wants=file ;;
    "label release") options='--machine --dry-run --json --help' wants=file ;;
    plan) options='--stop --json --help' wants=domain ;;
    reap) options='--help' ;;
    recover) options='--autostart --json --help' ;;
    audit) options='--json --help' ;;
    explain) options='--file --since --all --json --help' wants=domain ;;
    doctor) options='--json --help' ;;
    shell) options='--read-only --help' ;;
    virt-ssh-helper) options='--readonly --help' ;;
  esac
  if _svirt_after_pool; then
    _svirt_names pool-list --all --name
    return
  fi
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ $wants == domain ]]; then
    _svirt_names list --all --name
  elif [[ $wants == network ]]; then
    _svirt_names net-list --all --name
  elif [[ $wants == @(pool|place) ]]; then
    _svirt_names pool-list --all --name
  elif [[ $wants == vol ]]; then
    _svirt_volumes
  elif [[ $wants == device ]]; then
    _svirt_names nodedev-list
  elif [[ $wants == secret ]]; then
    _svirt_secrets
  fi
  if [[ $wants == @(file|place|vol) && $word != -* ]] && ((${#COMPREPLY[@]} == 0)); then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

# Succeeds behind --pool or --inputpool, with or without =.
_svirt_after_pool() {
  local at=$((COMP_CWORD - 1))
  [[ ${COMP_WORDS[at]} != = ]] || at=$((at - 1))
  # The word itself may be the =.
  [[ $word != = ]] || word=
  [[ ${COMP_WORDS[at]} == --@(pool|inputpool) ]]
}

# Completes the volumes of the pool that the command line names.
_svirt_volumes() {
  local at pool
  for ((at = 2; at < ${#COMP_WORDS[@]} - 1; at++)); do
    [[ ${COMP_WORDS[at]} == --@(pool|inputpool) ]] || continue
    pool=${COMP_WORDS[at + 1]}
    [[ $pool != = ]] || pool=${COMP_WORDS[at + 2]}
    # As the shell reads it.
    _svirt_names vol-list "${pool//\\/}" --name
    return
  done
}

# Completes the UUIDs of secrets, the first column of their list.
_svirt_secrets() {
  local uuid rest
  while read -r uuid rest; do
    [[ $uuid != *-*-* || $uuid == --* || $uuid != "$word"* ]] || COMPREPLY+=("$uuid")
  done < <(svirt secret-list 2>/dev/null)
}

# Completes the names that a svirt command prints. compgen -W would run a name such as $(command).
_svirt_names() {
  local name names
  mapfile -t names < <(svirt "$@" 2>/dev/null)
  for name in "${names[@]}"; do
    # Quoted, so that the completed command line does not run it either.
    printf -v name %q "$name"
    [[ $name != "$word"* ]] || COMPREPLY+=("$name")
  done
}

complete -F _svirt svirt
