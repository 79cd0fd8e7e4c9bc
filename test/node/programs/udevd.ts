import { PROGRAMS } from "./on-the-node.ts";

/**
 * Prefix of a script: starts the real and complete systemd-udevd. It checks for changed rules at most every
 * three seconds. `end_udevd` ends it.
 */
export const UDEVD = `
  ${PROGRAMS}
  clean
  mkdir -p /run/udev /dev/disk/by-id
  tool systemd-udevd --daemon 2>/dev/null
  wait_for test -S /run/udev/control
  restorecon_udev() { setfattr -n security.selinux -v system_u:object_r:udev_runtime_t:s0 /run/udev /run/udev/control; }
  restorecon_udev
  trigger() { tool udevadm trigger --action=add --settle "$@"; }
  later() { sleep 4; }
  block() { printf "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='%s'/><target dev='%s' bus='virtio'/></disk>" "$1" "$2"; }
  device_labels() { for device; do label_of "$device"; echo; done; }
  end_udevd() {
    for udevd_status in /proc/[0-9]*/status; do
      grep -q '^Name:.systemd-udevd$' "$udevd_status" 2>/dev/null && kill "$(echo "$udevd_status" | cut -d/ -f3)"
    done
    wait_for sh -c '! grep -qs "^Name:.systemd-udevd$" /proc/[0-9]*/status'
    rm -rf /run/udev /dev/disk
  }
`;
