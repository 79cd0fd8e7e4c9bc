import { LVM } from "../programs/lvm.ts";

/** The volume group life-vg on a loop device of 64 MiB. */
export const LVM_SCENE = `
  clean
  ${LVM}
  prepare_lvm
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
    end_lvm
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
