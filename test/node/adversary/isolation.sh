#!/bin/sh
# On the node: starts the guests, collects the facts about them and runs the adversary.
#
#   isolation.sh set-up | run RUN | tear-down      RUN: kvm tcg net label twin user control
#
# SVIRT_GUEST and SVIRT_NEIGHBOUR name two running guests, for the runs that need no others (not tcg, net).
# SVIRT_SPARE_DISK is a disk of the node that a guest may use. SVIRT_TYPE=qemu is for nodes without KVM: all
# runs except "kvm" and "net" work there.
set -eu
# On the node's writable disk; guests can reach their programs and disks there as in any place for images.
here=/srv/isolation
disks=/srv/images
spare_disk=${SVIRT_SPARE_DISK:-/dev/vde}
type=${SVIRT_TYPE:-kvm}
loop=/dev/loop6
abstract=svirt-isolation-neighbour
vnc_port=5907
guest=${SVIRT_GUEST:-isolation-kvm}
neighbour=${SVIRT_NEIGHBOUR:-isolation-b}

say() { printf 'isolation.sh: %s\n' "$*" >&2; }

# Creates a disk of a megabyte whose boot sector prints "up" on the serial line and then halts.
make_disk() {
  dd if=/dev/zero of="$1" bs=1024 count=1024 2>/dev/null
  # mov dx,0x3f8; mov al,'u'; out dx,al; mov al,'p'; out dx,al; hlt; jmp -3
  printf '\272\370\003\260u\356\260p\356\364\353\375' | dd of="$1" conv=notrunc 2>/dev/null
  printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc 2>/dev/null
}

# start_guest NAME TYPE MORE-DEVICES
start_guest() {
  make_disk "$disks/$1.img"
  cat >"$here/$1.xml" <<XML
<domain type='$2'>
  <name>$1</name>
  <memory unit='MiB'>32</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='$disks/$1.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    $3
  </devices>
</domain>
XML
  svirt define "$here/$1.xml" >/dev/null
  svirt start "$1" >/dev/null
}

label_of() { tr -d '\0' <"/proc/$1/attr/current"; }
uid_of() { sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }
# said NAME PATTERN: prints the group of the pattern in the first line of the running guest's XML that has it.
# The XML is read once: each call of svirt costs half a second on an emulated node, and the facts are many.
# svirt's domain may not write here.
said() {
  [ -s "$here/$1.said" ] || svirt dumpxml "$1" | cat >"$here/$1.said"
  sed -n "s/.*$2.*/\\1/p" "$here/$1.said" | head -n 1
}
image_label_of() { said "$1" '<imagelabel>\(.*\)<'; }
uuid_of() { said "$1" '<uuid>\(.*\)<'; }
run_folder_of() { printf '/run/svirt/%s' "$(uuid_of "$1")"; }
# Written by the guest's reaper. `svirt domid` is libvirt's ID, not this one.
pid_of() { cat "$(run_folder_of "$1")/pid"; }
# Prints the folder in a guest's run-time folder to which its QEMU may write.
# private_of FOLDER UID
private_of() { find "$1" -type d -user "$2" | head -n 1; }
# group_of PID
group_of() { printf '/sys/fs/cgroup%s' "$(sed -n 's/^0:://p' "/proc/$1/cgroup")"; }
# Its first disk is a file.
disk_of() { said "$1" "<source file='\([^']*\)'"; }
first_of() { for file; do [ ! -e "$file" ] || { printf '%s' "$file"; return; }; done; }

set_up() {
  # The guest's user must be able to execute the program.
  chmod 755 "$here" "$here/adversary" "$here/launch" "$here/stand-in"
  mkdir -p "$disks"
  "$here/launch" --set-label system_u:object_r:bin_t:s0 "$here" "$here"/*
  for program in adversary stand-in; do
    cp "$here/$program" "$here/$program-guest"
    "$here/launch" --set-label system_u:object_r:qemu_exec_t:s0 "$here/$program-guest"
  done
  cp "$here/launch" "$here/launch-svirt"
  cp "$here/stand-in" "$here/stand-in-svirt"
  "$here/launch" --set-label system_u:object_r:svirt_manager_exec_t:s0 "$here/launch-svirt" "$here/stand-in-svirt"
  [ -n "${SVIRT_GUEST-}" ] || start_guests
  stand_ins
}

start_guests() {
  start_guest isolation-kvm "$type" ''
  start_guest isolation-tcg qemu ''
  start_guest isolation-net "$type" "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>"
  start_guest isolation-b "$type" "<disk type='block' device='disk'>
      <driver name='qemu' type='raw'/>
      <source dev='$spare_disk'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
    <graphics type='vnc'><listen type='socket'/></graphics>
    <video><model type='vga'/></video>"
}

# Starts a process of svirt's domain, an abstract socket in the neighbour's context, and a VNC server on TCP.
stand_ins() {
  b_pid=$(pid_of "$neighbour")
  setsid "$here/stand-in-svirt" wait </dev/null >/dev/null 2>&1 &
  echo $! >"$here/manager.pid"
  own_file "$neighbour" "$here/stand-in.log"
  # As root: a process of the neighbour's user would be ended with it, once the control has killed its QEMU.
  setsid "$here/launch-svirt" --label "$(label_of "$b_pid")" --out "$here/stand-in.log" \
    --disk "$(disk_of "$neighbour")" -- "$here/stand-in-guest" abstract "$abstract" </dev/null >/dev/null 2>&1 &
  echo $! >"$here/abstract.pid"
  setsid "$here/stand-in" vnc "$vnc_port" </dev/null >/dev/null 2>&1 &
  echo $! >"$here/vnc.pid"
}

facts() {
  own=$1
  own_pid=$(pid_of "$own")
  own_uid=$(uid_of "$own_pid")
  own_folder=$(run_folder_of "$own")
  own_image=$(image_label_of "$own")
  b_pid=$(pid_of "$neighbour")
  b_uid=$(uid_of "$b_pid")
  own_type=$(label_of "$own_pid" | cut -d: -f1-3)
  image_type=$(printf '%s' "$own_image" | cut -d: -f1-3)
  b_folder=$(run_folder_of "$neighbour")
  b_group=$(group_of "$b_pid")
  manager_pid=$(cat "$here/manager.pid")
  # The neighbour's categories with this guest's own type: then only the level separates them.
  b_level=$(label_of "$b_pid" | cut -d: -f4-)
  cat <<FACTS
own_context=$(label_of "$own_pid")
own_uid=$own_uid
own_image_context=$own_image
own_private=$(private_of "$own_folder" "$own_uid")
own_limit=$(group_of "$own_pid")/pids.max
b_limit=$b_group/pids.max
b_procs=$b_group/cgroup.procs
own_monitor=$own_folder/monitor.sock
b_pid=$b_pid
b_uid=$b_uid
b_reaper_pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$b_pid/status")
b_context=$own_type:$b_level
b_image_context=$image_type:$b_level
b_disk=$(disk_of "$neighbour")
b_block=$spare_disk
b_folder=$b_folder
b_private=$(private_of "$b_folder" "$b_uid")
b_record=/var/lib/svirt/records/$(uuid_of "$neighbour").json
b_monitor=$b_folder/monitor.sock
b_vnc_socket=$(find "$b_folder" -type s -name '*vnc*' | head -n 1)
b_vnc_port=$vnc_port
b_abstract=$abstract
b_log=/var/log/svirt/$neighbour.log
b_definition=/etc/svirt/domains/$neighbour.xml
log_folder=/var/log/svirt
run_folder=/run/svirt
definitions=/etc/svirt/domains
state_folder=/var/lib/svirt
disk_folder=$disks
wider_context=$own_type:s0-s0:c0.c1023
bare_context=$own_type:s0
bare_image_context=$image_type:s0
unconfined_context=$(tr -d '\0' </proc/self/attr/current)
manager_context=$(label_of "$manager_pid")
manager_pid=$manager_pid
ssh_pid=$(pidof dropbear | sed 's/.* //')
authorized_keys=/root/.ssh/authorized_keys
host_key=$(first_of /etc/dropbear/*)
policy_file=$(first_of /etc/selinux/*/policy/policy.*)
host_disk=$(first_of /dev/vda /dev/sda /dev/nvme0n1)
boolean=$(cd /sys/fs/selinux/booleans && first_of ./* | cut -c3-)
module=$(find /lib/modules -name 'virtio_net.ko*' | head -n 1)
svirt=$(command -v svirt)
qemu=$(first_of /usr/bin/qemu-system-x86_64)
qemu_img=$(first_of /usr/bin/qemu-img)
FACTS
}

# Creates a file that the guest may read or write once it is open.
own_file() {
  : >"$2"
  chmod 600 "$2"
  "$here/launch" --set-label "$(image_label_of "$1")" "$2"
}

# hand_over NAME: prepares files as svirt passes them, owned by the guest's user: content, an image, a slice
# of a file as a block device.
hand_over() {
  drop_handed
  handed_uid=$(uid_of "$(pid_of "$1")")
  for file in content mine slice; do
    dd if=/dev/zero of="$here/handed-$file" bs=1024 count=256 2>/dev/null
    chown "$handed_uid" "$here/handed-$file"
  done
  losetup "$loop" "$here/handed-slice"
  chown "$handed_uid" "$loop"
  "$here/launch" --set-label system_u:object_r:virt_content_t:s0 "$here/handed-content"
  "$here/launch" --set-label "$(image_label_of "$1")" "$here/handed-mine" "$loop"
}

drop_handed() {
  if losetup -d "$loop" 2>/dev/null; then
    chown 0 "$loop"
    "$here/launch" --set-label system_u:object_r:fixed_disk_device_t:s0 "$loop"
  fi
  rm -f "$here"/handed-*
}

try() {
  case $1 in tcg | net) own=isolation-$1 ;; *) own=$guest ;; esac
  report=$here/report-$1
  own_file "$own" "$here/facts"
  facts "$own" >"$here/facts"
  own_file "$own" "$report"
  hand_over "$own"
  pid=$(pid_of "$own")
  label=$(label_of "$pid")
  kvm=/dev/kvm
  [ "$1" != tcg ] || kvm=/dev/null
  set -- "$1" --kvm "$kvm" --in "$here/facts" --out "$report" --disk "$(disk_of "$own")" \
    --hand "6:r:$here/handed-content" --hand "7:rw:$loop" --hand "8:rw:$here/handed-mine"
  case $1 in
    kvm | tcg | net) shift; "$here/launch-svirt" --label "$label" --like "$pid" "$@" -- "$here/adversary-guest" --destructive ;;
    twin) shift; "$here/launch-svirt" --label "$label" --like "$(pid_of "$neighbour")" "$@" -- "$here/adversary-guest" --destructive ;;
    label) shift; "$here/launch-svirt" --label "$label" "$@" -- "$here/adversary-guest" --destructive ;;
    user) shift; "$here/launch" --like "$pid" "$@" -- "$here/adversary" ;;
    control)
      shift
      # The control is unconfined, but the guest's own folder is mounted noexec.
      folder=$(private_of "$own_folder" "$own_uid")
      mount -o remount,exec "$folder"
      "$here/launch" "$@" -- "$here/adversary" --destructive || say "the adversary ended with $?"
      mount -o remount,noexec "$folder" || true
      ;;
  esac || say "the adversary ended with $?"
  cat "$report"
}

tear_down() {
  for name in manager abstract vnc; do
    [ ! -s "$here/$name.pid" ] || kill "$(cat "$here/$name.pid")" 2>/dev/null || :
  done
  drop_handed
  for name in kvm tcg net b; do
    svirt destroy "isolation-$name" >/dev/null 2>&1 || :
    svirt undefine "isolation-$name" >/dev/null 2>&1 || :
  done
  rm -rf "$disks"/isolation-*.img "$here"
}

case ${1-} in
  set-up) set_up ;;
  run) try "$2" ;;
  tear-down) tear_down ;;
  *) say "set-up | run RUN | tear-down"; exit 2 ;;
esac
