import { afterAll, expect } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { uuidOf } from "../harness/names.ts";
import { noteOf, outOf } from "../harness/notes.ts";
import { withNfs } from "./nfs.ts";
import { HOSTS, onTwoNodes } from "./two-nodes.ts";

// Two nodes and storage that both use: an NFS server on the second node, and a block device that this machine
// serves. A node reaches this machine at 10.0.2.2.

const onBoth = await onTwoNodes();
const folder = mkdtempSync(`${tmpdir()}/svirt-pair-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [A, B] = HOSTS;
const PAIR = "s0:c10,c20";
const STATIC_IMAGE = `system_u:object_r:svirt_image_t:${PAIR}`;
const OWN_LABEL = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/;
const LABELLED = ",security_label";

/** Starts a guest of that name with the disk on the mount; `more` are arguments of `guest`. */
const start = (name: string, more = "") => `
  guest ${name} "$(disk $here/mnt/a.img)" ${more}
  note start svirt start ${name}
`;
const LABEL = "note label label_of $here/mnt/a.img;";

onBoth(
  "labelled NFS: another guest is refused on B, and a guest that goes on there keeps its label",
  (a, b) =>
    withNfs([a, b], { options: LABELLED, fill: "copy halt export/a.img" }, async (mountOnA) => {
      // Read before the guest starts, so that B's cache has the earlier label.
      const before = await b.run(`${LABEL} note show svirt label show $here/mnt/a.img`);
      const original = outOf(before, "label");
      expect(original).not.toMatch(OWN_LABEL);
      expect(outOf(before, "show")).not.toContain("Held by:");
      const onA = await a.run(`${start("life-a")} ${LABEL}`);
      expect(noteOf(onA, "start")).toMatchObject({ code: 0, err: "" });
      const during = outOf(onA, "label");
      expect(during).toMatch(OWN_LABEL);

      const other = await b.run(`${start("life-b")} ${LABEL} note show svirt label show $here/mnt/a.img`);
      expect(noteOf(other, "start").code).toBe(5);
      expect(noteOf(other, "start").err).toContain(`another machine holds it, ${A} (`);
      expect(outOf(other, "label")).toBe(during);
      expect(outOf(other, "show")).toContain(`Held by:        the machine ${A} (`);
      expect(outOf(other, "show")).toContain("other machines, by NFS");

      // The recovery at A's boot precedes the mount and finds no record; the later recovery finds it.
      await a.run(`
      mkdir -p $here/kept
      mv /var/lib/svirt/records/${uuidOf("life-a")}.json /var/lib/svirt/claims $here/kept/
      sync
    `);
      await a.powerOff();
      const moved = await b.run(`
      note release svirt label release $here/mnt/a.img --machine ${A}
      ${LABEL}
      guest life-a "$(disk $here/mnt/a.img)"
      # The server keeps the locks of A's QEMU for its lease.
      begin() { svirt start life-a; }
      note start wait_for begin
      note during label_of $here/mnt/a.img
    `);
      expect([noteOf(moved, "release").err, outOf(moved, "label")]).toEqual(["", original]);
      expect([noteOf(moved, "start").code, outOf(moved, "during")]).toEqual([0, during]);

      await a.powerOn();
      await mountOnA();
      const back = await a.run(`
      rm -rf /var/lib/svirt/claims
      mv $here/kept/claims /var/lib/svirt/
      mv $here/kept/*.json /var/lib/svirt/records/
      note recover svirt recover
      ${LABEL}
    `);
      expect(noteOf(back, "recover").code).toBe(0);
      expect(noteOf(back, "recover").err).toContain(
        `a.img keeps its label: another machine holds it, ${B} (`,
      );
      expect(outOf(back, "label")).toBe(during);

      const end = await b.run(`note end svirt destroy life-a; ${LABEL} note marks labels $here/mnt/a.img`);
      expect([noteOf(end, "end").err, outOf(end, "label")]).toEqual(["", original]);
      expect(outOf(end, "marks")).not.toContain("svirt.machine");
    }),
);

onBoth("labelled NFS: a guest that runs on A and B and is ended on A keeps its label on B", (a, b) =>
  withNfs([a, b], { options: LABELLED, fill: ": >$here/export/a.log" }, async () => {
    // A log, because QEMU locks a disk and would not open it twice.
    const serial = "<serial type='file'><source path='/srv/lifecycle/mnt/a.log'/></serial>";
    const begin = `
      guest life-a "${serial}"
      note start svirt start life-a
      note label label_of $here/mnt/a.log
    `;
    const onA = await a.run(begin);
    expect(noteOf(onA, "start").err).toBe("");
    const during = outOf(onA, "label");
    expect(during).toMatch(OWN_LABEL);
    const onB = await b.run(`note release svirt label release $here/mnt/a.log --machine ${A}; ${begin}`);
    expect([noteOf(onB, "release").err, noteOf(onB, "start").err]).toEqual(["", ""]);
    expect(outOf(onB, "label")).toBe(during);
    expect(outOf(await a.run("note end svirt destroy life-a"), "end")).toBe("Domain 'life-a' destroyed");
    expect(outOf(await b.run("note label label_of $here/mnt/a.log"), "label")).toBe(during);
  }),
);

onBoth("NFS without labels: a guest's own label is refused to a guest on B", (a, b) => {
  // A file system without attributes.
  const fill = `
    modprobe vfat; modprobe nls_cp437; modprobe nls_ascii
    dd if=/dev/zero of=$here/fat.img bs=1M count=4 2>/dev/null
    mkdosfs $here/fat.img >/dev/null
    mount -t vfat -o loop,iocharset=ascii $here/fat.img $here/export
    copy halt export/a.img
  `;
  const domain = `system_u:system_r:svirt_tcg_t:${PAIR}`;
  return withNfs([a, b], { options: "", fill, mountOptions: `,context="${STATIC_IMAGE}"` }, async () => {
    const onA = await a.run(`
      ${start("life-a", `"$(static ${domain})"`)}
      ${LABEL} note marks labels $here/mnt/a.img
    `);
    expect([noteOf(onA, "start").err, outOf(onA, "label")]).toEqual(["", STATIC_IMAGE]);
    expect(outOf(onA, "marks")).not.toContain("svirt.machine");
    const onB = await b.run(
      `${start("life-b")} note release svirt label release $here/mnt/a.img --machine unknown`,
    );
    expect(noteOf(onB, "start").code).toBe(5);
    expect(noteOf(onB, "start").err).toContain(
      `${STATIC_IMAGE} of a guest that this machine does not run, and other machines access it by NFS`,
    );
    // The label is the mount's: no call can change the label of the file.
    expect(noteOf(onB, "start").err).toContain("mount the file system with another context=");
    expect(noteOf(onB, "release").code).toBe(5);
    expect(noteOf(onB, "release").err).toContain(`its mount option context= sets the label ${STATIC_IMAGE}`);
  });
});

onBoth(
  "a shared block device: B's label of it is not A's, and a file on it is A's until A is off",
  async (a, b) => {
    const server = serveBlocks();
    const connect = `
      modprobe nbd
      mkdir -p $here/mnt
      wait_for nbd-client 10.0.2.2 ${server.port} /dev/nbd0
      # The client goes into the background before it serves the device.
      wait_for test -e /sys/block/nbd0/pid
    `;
    const block =
      "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/nbd0'/><target dev='vda' bus='virtio'/></disk>";
    const node = "note label label_of /dev/nbd0";
    try {
      const [onA, onB] = await Promise.all([
        a.run(`${connect} guest life-a "${block}"; note start svirt start life-a; ${node}`),
        b.run(`
        ${connect} ${node}
        note show svirt label show /dev/nbd0
        guest life-b "${block}"; note start svirt start life-b
        note during label_of /dev/nbd0
      `),
      ]);
      expect([noteOf(onA, "start").err, noteOf(onB, "start").err]).toEqual(["", ""]);
      expect(outOf(onB, "show")).toContain("other machines, by NBD (nbd0)");
      const own = outOf(onA, "label");
      expect(own).toMatch(OWN_LABEL);
      expect(outOf(onB, "during")).toMatch(OWN_LABEL);
      expect(outOf(onB, "during")).not.toBe(own);
      const ended = await b.run(`svirt destroy life-b >/dev/null; ${node}`);
      expect(outOf(ended, "label")).toBe(outOf(onB, "label"));
      expect(outOf(await a.run(node), "label")).toBe(own);

      // A file system on the device, which B mounts while A has no power.
      const file = await a.run(`
      svirt destroy life-a >/dev/null
      mount -t ext4 /dev/nbd0 $here/mnt; copy halt mnt/a.img
      ${LABEL} ${start("life-a")}
      note during label_of $here/mnt/a.img
      sync
    `);
      expect(noteOf(file, "start").err).toBe("");
      expect(outOf(file, "during")).toMatch(OWN_LABEL);
      await a.powerOff();
      const [taken] = await Promise.all([
        b.run(`
        # B's cache is from before A made the file.
        blockdev --flushbufs /dev/nbd0
        note mount mount -t ext4 /dev/nbd0 $here/mnt
        ${LABEL} ${start("life-b")}
        note held label_of $here/mnt/a.img
        note release svirt label release $here/mnt/a.img --machine ${A}
        note given label_of $here/mnt/a.img
        note again svirt start life-b
        svirt destroy life-b >/dev/null
        umount $here/mnt
      `),
        a.powerOn(),
      ]);
      expect(noteOf(taken, "mount").err).toBe("");
      expect(outOf(taken, "label")).toBe(outOf(file, "during"));
      expect(noteOf(taken, "start").code).toBe(5);
      expect(noteOf(taken, "start").err).toContain(`another machine holds it, ${A} (`);
      expect(outOf(taken, "held")).toBe(outOf(file, "during"));
      expect(noteOf(taken, "release").err).toBe("");
      expect([outOf(taken, "given"), noteOf(taken, "again").err]).toEqual([outOf(file, "label"), ""]);
    } finally {
      const clear = "umount -l $here/mnt 2>/dev/null || :; nbd-client -d /dev/nbd0 2>/dev/null || :";
      await Promise.all([a, b].map((each) => each.run(`clean; ${clear}`))).finally(server.stop);
    }
  },
);

/** Serves a file system of 16 MiB to both nodes, by NBD. */
function serveBlocks(): { readonly port: number; readonly stop: () => Promise<void> } {
  const image = `${folder}/shared.img`;
  writeFileSync(image, "");
  truncateSync(image, 16 * 1024 * 1024);
  // The node's NBD device has no blocks smaller than a page.
  expect(Bun.spawnSync(["mkfs.ext4", "-q", "-b", "4096", image]).exitCode).toBe(0);
  const port = freePort();
  const server = Bun.spawn(
    ["qemu-nbd", "-f", "raw", "-t", "-e", "2", "-b", "127.0.0.1", "-p", String(port), image],
    { stdout: "ignore", stderr: "inherit" },
  );
  const stop = async () => {
    server.kill();
    await server.exited;
  };
  return { port, stop };
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  server.stop(true);
  return server.port;
}
