import { expect } from "bun:test";
import { type Notes, noteOf } from "../harness/notes.ts";
import type { PairedNode } from "./two-nodes.ts";

const PORT = 2049;

/** Export of the second node. */
interface Export {
  /** exports(5), after the options of every export here */
  readonly options: string;
  /** Script that runs before the export and puts files into $here/export. */
  readonly fill: string;
  /** nfs(5), after the options of every mount here */
  readonly mountOptions?: string;
}

/** Mounts an export of the second node at $here/mnt on both nodes. At the end removes all guests, mounts and the server. */
export async function withNfs(
  [a, b]: readonly [PairedNode, PairedNode],
  { fill, mountOptions = "", options }: Export,
  work: (mountOnA: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await b.run(`${SERVER} prepare_export; ${fill}\n serve '${options}'`);
  const port = await b.forward(PORT);
  const mountOnA = async () => expectMounted(await a.run(mount("10.0.2.2", port, mountOptions)));
  try {
    await mountOnA();
    expectMounted(await b.run(mount("127.0.0.1", PORT, mountOptions)));
    await work(mountOnA);
  } finally {
    await Promise.all(
      [a, b].map((each) =>
        each.run(
          "for g in $(svirt list --name); do svirt destroy $g >/dev/null; done; umount -l $here/mnt || :",
        ),
      ),
    );
    await b.run(`${SERVER} serve_no_more; while umount $here/export 2>/dev/null; do :; done`);
  }
}

/** nfsd without NFS v3. A starting server waits for the clients of an earlier one, here for at most 10 s. */
const SERVER = `
  prepare_export() {
    modprobe nfsd
    mount -t nfsd nfsd /proc/fs/nfsd
    mkdir -p /var/lib/nfs $here/export
    : >/var/lib/nfs/etab; : >/var/lib/nfs/rmtab
  }
  serve() {
    tool rpc.mountd -N 2 -N 3
    tool exportfs -o "rw,no_root_squash,insecure,fsid=0,no_subtree_check$1" "*:$here/export" 2>/dev/null
    echo 10 >/proc/fs/nfsd/nfsv4leasetime; echo 10 >/proc/fs/nfsd/nfsv4gracetime
    tool rpc.nfsd -N 3 -p ${PORT} -U 4
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

function mount(server: string, port: number, options: string): string {
  return `
    modprobe nfsv4
    mkdir -p $here/mnt
    note mount mount -t nfs4 -o 'vers=4.2,addr=${server},clientaddr=127.0.0.1,port=${port}${options}' ${server}:/ $here/mnt
  `;
}

function expectMounted(notes: Notes): void {
  expect(noteOf(notes, "mount")).toMatchObject({ code: 0, err: "" });
}
