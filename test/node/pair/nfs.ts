import { expect } from "bun:test";
import { type Notes, noteOf } from "../harness/notes.ts";
import { NFS_PORT, NFS_SERVER } from "../programs/nfs-server.ts";
import type { PairedNode } from "./two-nodes.ts";

/** Export of the second node. */
interface Export {
  /** exports(5), after the options of every export here */
  readonly options: string;
  /** Script that runs before the export and puts files into $here/export. */
  readonly fill: string;
  /** nfs(5), after the options of every mount here */
  readonly mountOptions?: string;
}

/**
 * Mounts an export of the second node at $here/mnt on both nodes. At the end removes all guests, mounts and
 * the server.
 */
export async function withNfs(
  [a, b]: readonly [PairedNode, PairedNode],
  { fill, mountOptions = "", options }: Export,
  work: (mountOnA: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await b.run(`${NFS_SERVER} prepare_export; ${fill}\n serve '*' '${options}'`);
  const port = await b.forward(NFS_PORT);
  const mountOnA = async () => expectMounted(await a.run(mount("10.0.2.2", port, mountOptions)));
  try {
    await mountOnA();
    expectMounted(await b.run(mount("127.0.0.1", NFS_PORT, mountOptions)));
    await work(mountOnA);
  } finally {
    await Promise.all(
      [a, b].map((each) =>
        each.run(
          "for g in $(svirt list --name); do svirt destroy $g >/dev/null; done; umount -l $here/mnt || :",
        ),
      ),
    );
    await b.run(`${NFS_SERVER} serve_no_more; while umount $here/export 2>/dev/null; do :; done`);
  }
}

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
