/** Port of the server. */
export const NFS_PORT = 2049;

/** Port of mountd, if the server speaks NFS v3. */
export const MOUNTD_PORT = 20048;

/**
 * Prefix of a script, after PROGRAMS: nfsd, which exports $here/export.
 *
 *   prepare_export          makes the folder; files are put into it before it is served
 *   serve CLIENTS [OPTIONS] starts the server; `export_to` with the same words exports the folder in another
 *                           way. OPTIONS: options of exports(5), each after a comma
 *   serve_v3 CLIENTS [OPTIONS]
 *                           the same with NFS v3 alone: its clients ask rpcbind for ports
 *   serve_no_more           ends it
 *
 * A starting server waits for the clients of an earlier one, here for at most 10 s.
 */
export const NFS_SERVER = `
  prepare_export() {
    modprobe nfsd; modprobe nfsv4
    mount -t nfsd nfsd /proc/fs/nfsd
    mkdir -p /var/lib/nfs $here/export
    : >/var/lib/nfs/etab; : >/var/lib/nfs/rmtab
  }
  # The node's /etc has no files of SunRPC, and is read-only.
  make_rpc_etc() {
    mkdir -p $here/etc /run/rpcbind
    cp /etc/hosts /etc/nsswitch.conf /etc/passwd /etc/group $here/etc/
    echo '_rpc:x:65533:65534::/run/rpcbind:/usr/sbin/nologin' >>$here/etc/passwd
    echo 'services: files' >>$here/etc/nsswitch.conf
    printf 'sunrpc 111/tcp portmapper\nsunrpc 111/udp portmapper\n' >$here/etc/services
    for rpc_kind in 'udp tpi_clts v inet udp' 'tcp tpi_cots_ord v inet tcp' 'local tpi_cots_ord - loopback -'; do
      echo "$rpc_kind - -"
    done >$here/etc/netconfig
  }
  serve_v3() {
    make_rpc_etc
    tool_with_etc $here/etc rpcbind
    tool_with_etc $here/etc rpc.mountd -p ${MOUNTD_PORT}
    export_to "$@"
    shorten_grace
    tool_with_etc $here/etc rpc.nfsd -N 4 -V 3 -p ${NFS_PORT} -U 4
  }
  export_to() { tool exportfs -o "rw,no_root_squash,insecure,fsid=0,no_subtree_check$2" "$1:$here/export" 2>/dev/null; }
  shorten_grace() { echo 10 >/proc/fs/nfsd/nfsv4leasetime; echo 10 >/proc/fs/nfsd/nfsv4gracetime; }
  serve() {
    tool rpc.mountd -N 2 -N 3
    export_to "$@"
    shorten_grace
    tool rpc.nfsd -N 3 -p ${NFS_PORT} -U 4
  }
  serve_no_more() {
    tool exportfs -ua
    tool rpc.nfsd 0
    kill $(pidof rpc.mountd)
    wait_for sh -c '! pidof rpc.mountd'
    for rpc_pid in $(pidof rpcbind); do kill $rpc_pid; done
    wait_for sh -c '! pidof rpcbind'
    umount /proc/fs/nfsd
    rm -rf /var/lib/nfs
  }
`;
