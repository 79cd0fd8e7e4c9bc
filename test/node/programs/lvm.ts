/**
 * Prefix of a script: the folders and the settings that LVM needs, as a distribution's start-up makes them.
 * The node has a read-only root, and no udevd: LVM makes the nodes itself. `end_lvm` removes them.
 */
export const LVM = `
  labelled() { mkdir -p $1; setfattr -n security.selinux -v system_u:object_r:$2:s0 $1; }
  prepare_lvm() {
    modprobe -a loop dm_mod dm_snapshot dm_zero dm_thin_pool 2>/dev/null || :
    labelled /run/lvm lvm_runtime_t
    labelled /run/lock var_lock_t
    labelled /run/lock/lvm lvm_lock_t
    [ ! -e /etc/lvm/archive ] || return 0
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
  }
  end_lvm() {
    umount /etc/lvm
    rm -rf /run/lvm /run/lock/lvm
    # Other tests expect no device mapper.
    modprobe -r dm_snapshot dm_zero dm_thin_pool dm_mod || :
  }
`;
