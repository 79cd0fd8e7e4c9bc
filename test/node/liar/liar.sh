#!/bin/sh
# On the node: starts guests whose QEMU is the liar, runs each lie and each attempt, and prints the results.
#
#   liar.sh set-up | run RUN GROUP | tear-down      RUN: kvm tcg owner control; GROUP: handed limits monitor
#
# SVIRT_TYPE=qemu is for nodes without KVM. One JSON line for each attempt, as the adversary prints them.
set -eu
here=/srv/liar
# svirt runs no emulator from a place for guests.
emulator=/usr/local/libexec/liar-guest
stack=/srv/liar-stack
type=${SVIRT_TYPE:-kvm}
bridge=svirtliar0
# Limits of a command of svirt: at least this many seconds (set_pace), MiB. svirt itself waits 3 to 10 s for a
# guest; the rest is for an emulated machine that does much else. What waits without end is seen either way.
longest=${SVIRT_LONGEST:-60}
most=300
# The maximum size of a guest's log.
log_mib=64

say() { printf 'liar.sh: %s\n' "$*" >&2; }

# shellcheck source=scenes.sh
. "$(dirname "$0")/scenes.sh"
# shellcheck source=control.sh
. "$(dirname "$0")/control.sh"

# ---- Guests whose emulator is the liar

label_of() { /usr/bin/getfattr -h --only-values -n security.selinux --absolute-names -- "$1" | tr -d '\0'; }
context_of() { tr -d '\0' <"/proc/$1/attr/current"; }
uid_of() { sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }
run_folder_of() { printf '/run/svirt/%s' "$(cat "$here/$1/uuid")"; }
pid_of() { cat "$(run_folder_of "$1")/pid"; }
image_label_of() { svirt dumpxml "$1" | sed -n 's/.*<imagelabel>\(.*\)<\/imagelabel>.*/\1/p'; }
set_label() { "$here/launch" --set-label "$@"; }

# file NAME KIB
file() { dd if=/dev/zero of="$1" bs=1024 count="$2" 2>/dev/null; }

# device NAME FILE READONLY TARGET KIND
disk() {
  printf "<disk type='file' device='%s'><driver name='qemu' type='%s'/><source file='%s'/><target dev='%s' bus='%s'/>%s</disk>" \
    "$4" "$3" "$1" "$2" "${6:-virtio}" "$5"
}

# Creates files of a guest, named by their roles: the liar identifies them by these names.
make_files() {
  mkdir -p "$here/$1"
  file "$here/$1/disk.img" 1024
  file "$here/$1/shared.img" 1024
  file "$here/$1/base.img" 1024
  file "$here/$1/cdrom.img" 1024
  file "$here/$1/slice.img" 2048
}

# define NAME TYPE LOOP: defines a guest with every kind of descriptor that a guest may receive.
define() {
  make_files "$1"
  (cd "$here/$1" && qemu-img create -q -f qcow2 -b base.img -F raw overlay.qcow2)
  losetup -o 65536 "$3" "$here/$1/slice.img"
  cat >"$here/$1/guest.xml" <<XML
<domain type='$2'>
  <name>$1</name>
  <memory unit='MiB'>32</memory>
  <memtune><hard_limit unit='MiB'>128</hard_limit></memtune>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <emulator>$emulator</emulator>
    $(disk "$here/$1/disk.img" vda raw disk '')
    $(disk "$here/$1/shared.img" vdb raw disk '<shareable/>')
    $(disk "$here/$1/overlay.qcow2" vdc qcow2 disk '')
    $(disk "$here/$1/cdrom.img" hda raw cdrom '<readonly/>' ide)
    <disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='$3'/><target dev='vdd' bus='virtio'/></disk>
    <controller type='scsi' model='virtio-scsi'/>
    <interface type='bridge'><source bridge='$bridge'/><model type='virtio'/></interface>
    <serial type='file'><source path='$here/$1/report.log'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <graphics type='vnc'><listen type='socket'/></graphics>
    <video><model type='vga'/></video>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
XML
  svirt define "$here/$1/guest.xml" >/dev/null
  svirt domuuid "$1" | tr -d '\n' >"$here/$1/uuid"
}

# Defines an honest guest, which shows whether other guests are delayed.
define_neighbour() {
  mkdir -p "$here/neighbour"
  file "$here/neighbour/disk.img" 1024
  cat >"$here/neighbour/guest.xml" <<XML
<domain type='qemu'>
  <name>liar-neighbour</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>$(disk "$here/neighbour/disk.img" vda raw disk '')</devices>
</domain>
XML
  svirt define "$here/neighbour/guest.xml" >/dev/null
}

# runs NAME: determined by the kernel, since the guest lies.
runs() {
  runs_pid=$(cat "/run/svirt/$(cat "$here/$1/uuid")/pid" 2>/dev/null) && [ -e "/proc/$runs_pid/exe" ]
}

# begin NAME: starts it, honest, unless it runs.
begin() {
  ! runs "$1" || return 0
  write_order "$1" honest
  svirt start "$1" >/dev/null
}

# renew NAME: restarts it, which ends all lies.
renew() {
  ! runs "$1" || svirt destroy "$1" >/dev/null 2>&1 || :
  begin "$1"
}

# ---- Orders, in the first sector of its disk; it writes their results to its serial line

write_order() {
  # In a file, since orders are also given in subshells.
  number=$(($(cat "$scratch/number") + 1))
  echo "$number" >"$scratch/number"
  printf '%-511s\n' "order $number ${2} ${3-}" | dd of="$here/$1/disk.img" conv=notrunc 2>/dev/null
}

# replied NAME WORD: prints its reply to the last order.
replied() { sed -n "s/^$2 $(cat "$scratch/number") //p" "$here/$1/report.log" 2>/dev/null; }

# await NAME WORD SECONDS
await() {
  await_left=$(($3 * 10))
  until [ -n "$(replied "$1" "$2")" ]; do
    await_left=$((await_left - 1))
    [ "$await_left" -gt 0 ] || { echo silent && return; }
    sleep 0.1
  done
  replied "$1" "$2"
}

# order NAME LIE [ON [SECONDS]]: prints its reply.
order() {
  write_order "$1" "$2" "${3-}"
  await "$1" order "${4-10}"
}

# ---- Results

# result ID GROUP WHAT VERDICT [STEP WHY]: also noted with its time in $here/progress, which is shown if a run
# does not end.
result() {
  printf '%s %s %s\n' "$(date +%T)" "${scratch#"$here/"}" "$1" >>"$here/progress"
  printf '{"id":"%s","group":"%s","what":"%s","destructive":false,"verdict":"%s"' "$1" "$2" "$3" "$4"
  [ -z "${5-}" ] || printf ',"step":"%s","why":"%s"' "$5" "$(printf %s "$6" | tr -d '"\134' | tr '\n' ' ')"
  printf '}\n'
}

# watched SECONDS MIB COMMAND...: sets $how (ended, late, large), $code, $ms, $kib; its output is in
# $scratch/out and $scratch/err.
watched() {
  subcommand=${4-}
  "$here/liar" watch "$@" </dev/null >"$scratch/out" 2>"$scratch/err" 3>"$scratch/watched"
  read -r how code ms kib <"$scratch/watched"
}

# ---- The runs

set_up() {
  chmod 755 "$here" "$here/liar" "$here/launch"
  set_label system_u:object_r:bin_t:s0 "$here"/liar "$here"/launch "$here"/*.sh
  mkdir -p "${emulator%/*}"
  cp "$here/liar" "$emulator"
  set_label system_u:object_r:qemu_exec_t:s0 "$emulator"
  cp "$here/launch" "$here/launch-svirt"
  set_label system_u:object_r:svirt_manager_exec_t:s0 "$here/launch-svirt"
  ip link add "$bridge" type bridge && ip link set "$bridge" up
  make_stack
  define liar-kvm "$type" /dev/loop5
  define liar-tcg qemu /dev/loop6
  define liar-twin "$type" /dev/loop3
  define liar-third "$type" /dev/loop2
  define liar-fourth "$type" /dev/loop1
  define_neighbour
}

# run_inside NAME GROUP: runs the attempts that the liar makes by itself, as svirt has started it.
run_inside() {
  renew "$1"
  : >"$here/$1/report.log"
  inside=$(order "$1" try "$2" 600)
  [ "$inside" = 'done' ] || say "$1, $2: $inside"
  grep '^{' "$here/$1/report.log"
  svirt destroy "$1" >/dev/null 2>&1 || :
}

# new_scratch FOLDER
new_scratch() {
  scratch=$1
  rm -rf "$scratch"
  mkdir -p "$scratch"
  echo 0 >"$scratch/number"
}

run() {
  new_scratch "$here/scratch-$1-$2"
  # A folder outside any guest's own. The liar has this path compiled in.
  victims=$here/victims
  [ "$1" != control ] || victims=$scratch/victims
  case $1-$2 in
    kvm-monitor) run_scenes ;;
    kvm-* | tcg-*) run_inside "liar-$1" "$2" ;;
    owner-handed) run_as_owner ;;
    control-monitor) control_scenes ;;
    control-*) control_inside "$2" ;;
  esac
}

# Mounts an overlay, whose mappings are not counted on its own inodes.
make_stack() {
  modprobe overlay 2>/dev/null || :
  mkdir -p "$stack/lower" "$stack/upper" "$stack/work" "$here/stacked"
  mount -t overlay overlay -o "lowerdir=$stack/lower,upperdir=$stack/upper,workdir=$stack/work" "$here/stacked"
}

tear_down() {
  for name in liar-kvm liar-tcg liar-twin liar-third liar-fourth liar-neighbour; do
    svirt destroy "$name" >/dev/null 2>&1 || :
    svirt undefine "$name" >/dev/null 2>&1 || :
    rm -f "/var/log/svirt/$name.log"*
  done
  for loop in 1 2 3 4 5 6 7; do losetup -d "/dev/loop$loop" 2>/dev/null || :; done
  ip link del "$bridge" 2>/dev/null || :
  umount "$here/stacked"
  rm -rf "$here" "$stack" "$emulator" /run/svirt-liar-space
}

case ${1-} in
  set-up) set_up ;;
  run) run "$2" "$3" ;;
  tear-down) tear_down ;;
  *) say "set-up | run RUN GROUP | tear-down"; exit 2 ;;
esac
