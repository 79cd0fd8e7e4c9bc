/** Name of the target. */
export const IQN = "iqn.2026-11.test:disks";
/** User that the target accepts, with PASSWORD. */
export const USER = "node";
export const PASSWORD = "twelve-letters";

/**
 * Prefix of a script: the kernel's iSCSI target at 127.0.0.1, which needs a password, and open-iscsi's daemon
 * in its own domain, whose settings have that password. linux/Documentation/target
 *
 *   serve_iscsi NAME...   serves $here/NAME.img, at least 8 MiB of it, as LUN 1 and so on
 *   order_luns NAME...    gives them other numbers
 *   end_iscsi             ends both
 */
export const ISCSI_TARGET = `
  core=/sys/kernel/config/target/core
  portal_group=/sys/kernel/config/target/iscsi/${IQN}/tpgt_1
  mark() { setfattr -n security.selinux -v system_u:object_r:$2:s0 $1; }
  serve_iscsi() {
    modprobe -a iscsi_target_mod target_core_file iscsi_tcp sd_mod 2>/dev/null
    mount -t configfs configfs /sys/kernel/config
    mkdir -p $portal_group
    disk_number=0
    for disk_name; do
      disk_number=$((disk_number + 1))
      dd if=/dev/zero of=$here/$disk_name.img bs=1M count=0 seek=8 2>/dev/null
      mkdir -p $core/fileio_$disk_number/$disk_name
      printf 'fd_dev_name=%s,fd_dev_size=8388608' $here/$disk_name.img >$core/fileio_$disk_number/$disk_name/control
      echo 1 >$core/fileio_$disk_number/$disk_name/enable
      echo $disk_name-$disk_number >$core/fileio_$disk_number/$disk_name/wwn/vpd_unit_serial
    done
    order_luns "$@"
    for setting in generate_node_acls=1 demo_mode_write_protect=0 authentication=1; do
      echo \${setting#*=} >$portal_group/attrib/\${setting%=*}
    done
    printf ${USER} >$portal_group/auth/userid
    printf ${PASSWORD} >$portal_group/auth/password
    mkdir $portal_group/np/127.0.0.1:3260
    echo 1 >$portal_group/enable
    start_iscsid
  }
  forget_luns() {
    for lun in $portal_group/lun/lun_*; do
      for link in $lun/*; do [ ! -L $link ] || rm $link; done
      rmdir $lun
    done 2>/dev/null
  }
  order_luns() {
    forget_luns
    lun_number=0
    for lun_name; do
      lun_number=$((lun_number + 1))
      mkdir $portal_group/lun/lun_$lun_number
      ln -s $core/fileio_*/$lun_name $portal_group/lun/lun_$lun_number/$lun_name
    done
  }
  start_iscsid() {
    mount -t tmpfs -o rootcontext=system_u:object_r:etc_t:s0 tmpfs /etc/iscsi
    echo InitiatorName=iqn.2026-11.test:node >/etc/iscsi/initiatorname.iscsi
    printf 'node.session.auth.authmethod = CHAP\\nnode.session.auth.username = ${USER}\\nnode.session.auth.password = ${PASSWORD}\\n' >/etc/iscsi/iscsid.conf
    mkdir -p -m 700 /var/lib/iscsi /run/lock/iscsi
    mark /var/lib/iscsi iscsi_var_lib_t
    mark /run/lock/iscsi iscsi_lock_t
    # From an init script it gets its domain. It ends at once with the further groups of a shell.
    printf '#!/bin/sh\\nexec iscsid -f\\n' >$here/start-iscsid
    chmod 755 $here/start-iscsid
    mark $here/start-iscsid initrc_exec_t
    /usr/bin/setpriv --clear-groups $here/start-iscsid >/dev/null 2>&1 &
    wait_for iscsiadm --mode iface
    # Its socket: before, iscsiadm cannot log in.
    wait_for grep -q @ISCSIADM_ABSTRACT_NAMESPACE /proc/net/unix
  }
  end_iscsi() {
    iscsiadm --mode session --logout >/dev/null 2>&1
    for pid in $(pidof iscsid); do kill -KILL $pid; done
    wait_for sh -c '! pidof iscsid'
    echo 0 >$portal_group/enable
    forget_luns
    rmdir $portal_group/np/* $portal_group \${portal_group%/*} \${portal_group%/*/*} $core/fileio_*/* $core/fileio_* 2>/dev/null
    umount /sys/kernel/config /etc/iscsi
    rm -rf /var/lib/iscsi /run/lock/iscsi
  }
`;
