# shellcheck shell=sh
# Read on the node by the scripts of the lifecycle tests: guests for trials, and reports that the test judges.
here=/srv/lifecycle
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# note NAME COMMAND...: runs it and reports exit code, output and errors under that name. Input goes to the
# command.
note() {
  note_name=$1
  shift
  note_code=0
  "$@" >"$work/out" 2>"$work/err" || note_code=$?
  printf '@%s %s\n' "$note_name" "$note_code"
  # The final line break is for a last line without one.
  sed 's/^/o:/' "$work/out"
  echo
  sed 's/^/e:/' "$work/err"
  echo
}

# ---- Guests. Their UUIDs are derived from their names, so that a test knows them.

uuid_of() {
  printf %s "$1" | md5sum | sed 's/^\(.\{8\}\)\(....\)\(....\)\(....\)\(.\{12\}\).*/\1-\2-\3-\4-\5/'
}

# disk FILE [TARGET [INNER [DEVICE]]]
disk() {
  case $1 in *.qcow2) disk_format=qcow2 ;; *) disk_format=raw ;; esac
  disk_bus=virtio
  [ "${4-disk}" = disk ] || disk_bus=ide
  printf "<disk type='file' device='%s'><driver name='qemu' type='%s'/><source file='%s'/>" "${4-disk}" "$disk_format" "$1"
  printf "<target dev='%s' bus='%s'/>%s</disk>" "${2-vda}" "$disk_bus" "${3-}"
}

# xml NAME [DEVICES [MORE]]: prints the XML of an emulated guest; MORE follows its features.
xml() {
  cat <<XML
<domain type='${guest_type-qemu}'>
  <name>$1</name>
  <uuid>$(uuid_of "$1")</uuid>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type>${os-}</os>
  <features><acpi/></features>
  ${3-}
  <devices>${2-}</devices>
</domain>
XML
}

# guest NAME [DEVICES [MORE]]: defines it.
guest() {
  xml "$@" >"$work/guest.xml"
  svirt define "$work/guest.xml" >/dev/null
}

# static LABEL [yes|no]
static() {
  printf "<seclabel type='static' model='selinux' relabel='%s'><label>%s</label></seclabel>" "${2-yes}" "$1"
}

# copy KIND NAME...: creates disks with the guest of that kind (halt, button, off, off-later, answer, eject)
# in the boot sector.
copy() {
  copy_kind=$1
  shift
  for copy_name; do cp "$here/boot/$copy_kind" "$here/$copy_name"; done
}

# ---- Facts from the kernel

# The format of a guest's file stays by design: file-formats.test.ts.
FORMAT='^trusted\.svirt\.format='
labels() { /usr/bin/getfattr -h -d -m - --absolute-names -- "$@" | grep -v "$FORMAT"; }
label_of() { /usr/bin/getfattr -h --only-values -n security.selinux --absolute-names -- "$1" | tr -d '\0'; }
context_of() { tr -d '\0' <"/proc/$1/attr/current"; }
pid_of() { cat "/run/svirt/$(uuid_of "$1")/pid"; }
# field FILE NAME: of /proc/PID/status
field() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
reaper_of() { field "$(pid_of "$1")" PPid; }
label_in_xml() { svirt dumpxml "$1" | sed -n "s/.*<${2-label}>\(.*\)<\/${2-label}>.*/\1/p"; }

# Prints the guest's own user, derived from the UUID as in docs/decisions/processes.md.
uid_of() {
  uid_digits=$(uuid_of "$1" | tail -c 9)
  echo $((0x70000000 + 0x$uid_digits % 0x4000000))
}

# left NAME: prints each remainder of a guest that runs or has run, one per line: none after a complete end.
left() {
  left_uuid=$(uuid_of "$1")
  left_uid=$(uid_of "$1")
  # In a file, so that no searching process has it in its own arguments.
  printf '%s\n' "$left_uuid" >"$work/uuid"
  for left_path in "/var/lib/svirt/records/$left_uuid.json" "/run/svirt/$left_uuid" "/run/svirt/restart/$left_uuid"; do
    [ ! -e "$left_path" ] || echo "path $left_path"
  done
  find /var/lib/svirt/claims -name "$left_uuid*" ! -path '*/static/*' | sed 's/^/claim /'
  find /var/lib/svirt/claims -mindepth 2 -maxdepth 2 -type d -empty | sed 's/^/empty claim /'
  # The reaper becomes `svirt reap`, which waits for the process that cleans up the guest, then holds nothing
  # and ends at once. One that stays is shown.
  printf ' reap %s' "$left_uuid" >"$work/reap"
  left_wait=100
  while [ "$left_wait" -gt 0 ] && is_reaping; do
    left_wait=$((left_wait - 1))
    sleep 0.1
  done
  cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -xF -f "$work/uuid" | sed 's/^/words /'
  grep -l "^Uid:.*[[:space:]]${left_uid}[[:space:]]" /proc/[0-9]*/status 2>/dev/null | while read -r left_status; do
    is_buried "$left_status" || echo "user $left_status"
  done
}

# is_buried STATUS: checks that a process has ended with all its threads and only waits to be reaped by its
# parent. The file is read once: the process may be reaped between two reads.
is_buried() {
  buried_status=$(cat "$1" 2>/dev/null) || return 0
  printf '%s\n' "$buried_status" | grep -q '^State:.Z' && printf '%s\n' "$buried_status" | grep -q '^Threads:.1$'
}

is_reaping() { cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -qF -f "$work/reap"; }

# Prints all state of svirt, and every label of the disks, for comparison. Locks are not state.
state() {
  state_paths="/etc/svirt /run/svirt /var/lib/svirt /var/log/svirt $here"
  # shellcheck disable=SC2086
  find $state_paths ! -path '*/locks*' | sort >"$work/paths"
  cat "$work/paths"
  xargs stat -c '%n %u:%g %a %i %s %Y' <"$work/paths"
  find /etc/svirt /run/svirt /var/lib/svirt -type f ! -path '*/locks*' | sort | xargs sha256sum
  xargs /usr/bin/getfattr -h -d -m - --absolute-names <"$work/paths" | grep -v "$FORMAT"
}

# lists_active COMMAND...: checks that `svirt list`, run by COMMAND, finds a guest active without asking its
# QEMU. A vCPU may wait in QEMU for a moment while it boots.
lists_active() { "$@" svirt list --json | grep -q '"not asked"'; }

# ---- Waiting: with generous limits, since the node may be slow

# wait_for COMMAND...: waits until it succeeds.
wait_for() {
  wait_left=1200
  until "$@" >/dev/null 2>&1; do
    wait_left=$((wait_left - 1))
    [ "$wait_left" -gt 0 ] || return 1
    sleep 0.1
  done
}
is_pressed() {
  [ -d "/proc/$1" ] || return 0
  shift
  "$@"
  return 1
}
# wait_pressed PID COMMAND...: waits for the exit of that QEMU. A guest that has not booted ignores its power
# button, so COMMAND presses it repeatedly.
wait_pressed() { wait_for is_pressed "$@"; }
is_gone() { [ -z "$(left "$1")" ]; }
wait_gone() { wait_for is_gone "$1"; }
is_other() { [ "$(pid_of "$1")" != "$2" ] && [ "$(svirt domstate "$1")" = running ]; }
# wait_other NAME PID: waits until it runs as another process.
wait_other() { wait_for is_other "$1" "$2"; }
is_dead() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
# has_scsi_disks NUMBER: checks that the kernel has that many, at least.
has_scsi_disks() {
  scsi_disks=0
  for scsi_disk in /sys/bus/scsi/drivers/sd/*/block/*; do [ ! -e "$scsi_disk" ] || scsi_disks=$((scsi_disks + 1)); done
  [ "$scsi_disks" -ge "$1" ]
}

# ---- What a guest says

# talk COMMAND...: types HAL on the console that COMMAND opens until the guest of the boot sector "answer" has
# said IBM, and prints what the console has shown. A guest that has not booted may lose what is typed.
talk() {
  talk_code=0
  : >"$work/shown"
  type_until_answered | "$@" >"$work/shown" || talk_code=$?
  cat "$work/shown"
  return "$talk_code"
}
type_until_answered() {
  type_left=120
  until grep -q IBM "$work/shown" || [ "$type_left" = 0 ]; do
    type_left=$((type_left - 1))
    printf HAL 2>/dev/null || break
    sleep 0.5
  done
}

# reads NAME: reads the first sector of its disk by its QEMU, and prints what QEMU says of that in its log.
# Another process writes the log.
reads() {
  reads_log=/var/log/svirt/$1.log
  reads_from=$(($(wc -c <"$reads_log") + 1))
  svirt qemu-monitor-command "$1" --hmp 'qemu-io libvirt-1-storage "read 0 512"' || return
  wait_for has_read
  tail -c "+$reads_from" "$reads_log"
}
has_read() { tail -c "+$reads_from" "$reads_log" | grep -q '^read .*offset\|^read failed'; }

# ---- Settings

allow_unconfined() {
  [ ! -e /etc/svirt/svirt.conf ] || cp -a /etc/svirt/svirt.conf "$here/svirt.conf"
  echo 'security_require_confined = 0' >/etc/svirt/svirt.conf
}
refuse_unconfined() {
  rm -f /etc/svirt/svirt.conf
  [ ! -e "$here/svirt.conf" ] || mv "$here/svirt.conf" /etc/svirt/svirt.conf
}

# ---- Clean-up

# Removes all guests of these tests, in any state.
clean() {
  for clean_name in $(svirt list --all --name | grep '^life-'); do
    svirt destroy "$clean_name" >/dev/null 2>&1 || :
    svirt undefine "$clean_name" --managed-save --snapshots-metadata --keep-nvram >/dev/null 2>&1 || :
    rm -f "/run/svirt/ended/$(uuid_of "$clean_name")" "/var/log/svirt/$clean_name.log" "/var/log/svirt/$clean_name.log."*
  done
  find "$here" -mindepth 1 -maxdepth 1 ! -name boot ! -name lib.sh -exec rm -rf {} +
}
