import { IQN, ISCSI_TARGET } from "./iscsi-target.ts";
import { UDEVD } from "./udevd.ts";

/** Second address of the target. */
const SECOND = "127.0.0.2";

/**
 * Prefix of a script: Debian's multipathd, with udevd and the rules of Debian for the device-mapper, and the
 * iSCSI target at two addresses. multipath.conf(5)
 *
 *   serve_paths NAME       serves $here/NAME.img as a LUN with two paths, in /dev/mapper/mpatha
 *   log_in, log_out        adds and removes the path by the second address
 *   paths                  prints the names of the paths: sda, sdb
 *   are_paths NUMBER       whether there are that many
 *   has_paths NUMBER STATE  whether that many paths have that state of the kernel: A for active, F for failed
 *   end_paths              ends all
 */
export const MULTIPATH = `
  ${UDEVD}
  ${ISCSI_TARGET}
  at_second() { iscsiadm --mode node --targetname ${IQN} --portal ${SECOND}:3260 "$@"; }
  log_in() { at_second --op new >/dev/null; at_second --login >/dev/null; }
  log_out() { at_second --logout >/dev/null; }
  map_node() { readlink -f /dev/mapper/mpatha; }
  paths() { ls /sys/class/block/$(basename "$(map_node)")/slaves; }
  states() { tool dmsetup status mpatha | grep -o '[0-9]*:[0-9]* [AF]'; }
  are_paths() { [ "$(paths | wc -l)" = "$1" ]; }
  has_paths() { [ "$(states | grep -c "$2\\$")" = "$1" ]; }
  add_rules() {
    mkdir -p /run/udev/rules.d
    mark /run/udev/rules.d udev_rules_t
    cp /srv/programs/lib/rules/*.rules /run/udev/rules.d/
    # As Debian's rules for disks do, which start it by its name.
    echo 'KERNEL=="sd*", ENV{DEVTYPE}=="disk", IMPORT{program}="/srv/programs/bin/scsi_id --export --whitelisted -d $devnode", SYMLINK+="disk/by-id/scsi-$env{ID_SERIAL}"' >/run/udev/rules.d/60-disks.rules
    later
  }
  start_multipathd() {
    ln -sfn programs/lib /srv/lib
    mkdir -p $here/etc/multipath
    cp /etc/passwd /etc/group $here/etc/
    cat >$here/etc/multipath.conf <<CONF
defaults {
  find_multipaths yes
  user_friendly_names yes
  polling_interval 1
  max_polling_interval 1
}
# The node has no modules for the path selector and the handler that multipathd would choose.
devices {
  device {
    vendor LIO-ORG
    product .*
    path_grouping_policy multibus
    path_selector "round-robin 0"
    hardware_handler "0"
    path_checker directio
    detect_prio no
    prio const
    no_path_retry queue
  }
}
CONF
    tool_with_etc $here/etc multipathd -d -v2 >$here/multipathd.log 2>&1 &
  }
  serve_paths() {
    modprobe -a dm_mod dm_multipath dm_round_robin
    add_rules
    serve_iscsi "$1"
    mkdir $portal_group/np/${SECOND}:3260
    start_multipathd
    iscsiadm --mode node --targetname ${IQN} --portal 127.0.0.1:3260 --op new >/dev/null
    iscsiadm --mode node --targetname ${IQN} --portal 127.0.0.1:3260 --login >/dev/null
    log_in
    wait_for has_paths 2 A
    wait_for test -b /dev/mapper/mpatha
  }
  end_paths() {
    for pid in $(pidof multipathd); do kill $pid; done
    wait_for sh -c '! pidof multipathd'
    # udevd looks at a disk that a guest has closed.
    tool udevadm settle
    tool dmsetup remove --retry mpatha
    rm -f /srv/lib
    end_iscsi
    rm -f /run/udev/rules.d/*.rules
    end_udevd
    modprobe -r dm_round_robin dm_multipath dm_mod || :
  }
`;
