# shellcheck shell=sh
# Functions that scripts/bench reads on the node: guests to measure. All are named bench-*, with their files
# in /srv/bench.
here=/srv/bench

# define NAME kvm|qemu: defines a guest of 16 MiB with an empty disk.
define() {
  truncate -s 1M "$here/$1.img"
  cat >"$here/$1.xml" <<XML
<domain type='$2'>
  <name>$1</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='$here/$1.img'/><target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
XML
  svirt define "$here/$1.xml" >/dev/null
}

# as_svirt FILE...: labels programs to run in svirt's domain. Other domains may not generate code at run time.
as_svirt() {
  for program; do setfattr -n security.selinux -v system_u:object_r:svirt_manager_exec_t:s0 "$program"; done
}

# memory_of PID: prints its program, Rss and Pss in KiB.
memory_of() {
  printf '%s %s %s\n' "$(tr '\0' '\n' <"/proc/$1/cmdline" | head -n 1)" \
    "$(sed -n 's/^Rss: *\([0-9]*\).*/\1/p' "/proc/$1/smaps_rollup")" \
    "$(sed -n 's/^Pss: *\([0-9]*\).*/\1/p' "/proc/$1/smaps_rollup")"
}

# residents NAME...: prints the memory of each guest's reaper, the parent of its QEMU.
residents() {
  for name; do
    pid=$(cat "/run/svirt/$(svirt domuuid "$name" | tr -d '\n')/pid")
    memory_of "$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")"
  done
}

clean() {
  for name in $(svirt list --name | grep '^bench-'); do svirt destroy "$name"; done >/dev/null
  for name in $(svirt list --all --name | grep '^bench-'); do
    # Removes the folder of a guest started by hand. svirt does not know that it ran.
    uuid=$(svirt domuuid "$name" | tr -d '\n')
    rm -rf "/run/svirt/${uuid:?}"
    svirt undefine "$name" >/dev/null
  done
  rm -f "$here"/bench-*
}
