/** Port of the server. */
export const NFS_PORT = 2049;

/**
 * Prefix of a script, after PROGRAMS: nfsd without NFS v3, which exports $here/export.
 *
 *   prepare_export          makes the folder; files are put into it before it is served
 *   serve CLIENTS [OPTIONS] starts the server; `export_to` with the same words exports the folder in another way. OPTIONS: those of
 *                           exports(5), each after a comma
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
  export_to() { tool exportfs -o "rw,no_root_squash,insecure,fsid=0,no_subtree_check$2" "$1:$here/export" 2>/dev/null; }
  serve() {
    tool rpc.mountd -N 2 -N 3
    export_to "$@"
    echo 10 >/proc/fs/nfsd/nfsv4leasetime; echo 10 >/proc/fs/nfsd/nfsv4gracetime
    tool rpc.nfsd -N 3 -p ${NFS_PORT} -U 4
  }
  serve_no_more() {
    tool exportfs -ua
    tool rpc.nfsd 0
    kill $(pidof rpc.mountd)
    wait_for sh -c '! pidof rpc.mountd'
    umount /proc/fs/nfsd
    rm -rf /var/lib/nfs
  }
`;
