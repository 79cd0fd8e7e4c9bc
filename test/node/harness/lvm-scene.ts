/** The volume group life-vg on a loop device of 64 MiB. The node has no udevd: LVM makes the nodes itself. */
export const LVM_SCENE = `
  clean
  modprobe -a loop dm_mod dm_snapshot dm_zero dm_thin_pool 2>/dev/null || :
  # As a distribution's start-up makes them: the node has a read-only root.
  labelled() { mkdir -p $1; setfattr -n security.selinux -v system_u:object_r:$2:s0 $1; }
  labelled /run/lvm lvm_runtime_t
  labelled /run/lock var_lock_t
  labelled /run/lock/lvm lvm_lock_t
  if [ ! -e /etc/lvm/archive ]; then
    mount -t tmpfs tmpfs /etc/lvm
    labelled /etc/lvm lvm_etc_t
    cat >/etc/lvm/lvm.conf <<CONF
activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
devices { obtain_device_list_from_udev = 0 external_device_info_source = "none" }
global { thin_check_executable = "" }
CONF
    setfattr -n security.selinux -v system_u:object_r:lvm_etc_t:s0 /etc/lvm/lvm.conf
    labelled /etc/lvm/archive lvm_metadata_t
    labelled /etc/lvm/backup lvm_metadata_t
  fi
  remove() {
    svirt destroy life-l >/dev/null 2>&1 || :
    svirt undefine life-l >/dev/null 2>&1 || :
    svirt pool-destroy life-lv >/dev/null 2>&1 || :
    svirt pool-undefine life-lv >/dev/null 2>&1 || :
    lvm vgremove -f life-vg >/dev/null 2>&1 || :
    [ -z "\${loop-}" ] || { lvm pvremove "$loop" >/dev/null 2>&1; losetup -d "$loop"; }
    clean
  }
  finish() {
    remove
    umount /etc/lvm
    rm -rf /run/lvm /run/lock/lvm
    # Other tests expect no device mapper.
    modprobe -r dm_snapshot dm_zero dm_thin_pool dm_mod || :
  }
  remove
  mkdir -p $here
  dd if=/dev/zero of=$here/pv.img bs=1M count=0 seek=64 2>/dev/null
  loop=$(losetup -f)
  losetup "$loop" $here/pv.img
  volume() {
    printf "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-lv' volume='%s'/><target dev='vda' bus='virtio'/></disk>" "$1"
  }
`;
