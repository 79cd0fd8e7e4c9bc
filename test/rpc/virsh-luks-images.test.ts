import { describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testInTurn } from "../sample.ts";
import { lackOf, makeFolder, onNewNode } from "./client-node.ts";

const inTurn = testInTurn(6, 3);

const UUID = crypto.randomUUID();
const [VOLUME, OVERLAY] = [crypto.randomUUID(), crypto.randomUUID()];
const [OLD, NEW] = ["correct horse battery", "another horse"];
/** Each opening of a LUKS image derives a key for half a second, on a busy machine for several. */
const LONG_MS = 400_000;
const ASIDE = lackOf(["virsh", "qemu-img", "qemu-io"]);
const folder = makeFolder();

function encryption(secret: string): string {
  return `<encryption format='luks'><secret type='passphrase' uuid='${secret}'/></encryption>`;
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

for (const [name, uuid] of [
  ["volume", VOLUME],
  ["overlay", OVERLAY],
] as const)
  write(
    `${name}.xml`,
    `<secret ephemeral='yes' private='yes'><uuid>${uuid}</uuid><usage type='volume'><volume>/luks/${name}</volume></usage></secret>`,
  );
write(
  "vm1.xml",
  `<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>
  <disk type='file'><driver name='qemu' type='raw'/><source file='${folder}/disk.luks'>${encryption(VOLUME)}</source><target dev='vda' bus='virtio'/></disk>
  </devices><seclabel type='none'/></domain>`,
);
write(
  "snap.xml",
  `<domainsnapshot><name>s1</name><disks><disk name='vda'><source file='${folder}/over.qcow2'>${encryption(OVERLAY)}</source></disk></disks></domainsnapshot>`,
);
write(
  "copy.xml",
  `<disk type='file'><driver type='raw'/><source file='${folder}/copy.luks'>${encryption(OVERLAY)}</source></disk>`,
);

const OBJECT = `--object secret,id=s,data='${OLD}'`;
const PREPARE = [
  `rm -f *.luks *.qcow2 disk.*; qemu-img create -q ${OBJECT} -f luks -o key-secret=s,iter-time=10 disk.luks 3M`,
  `qemu-io ${OBJECT} --image-opts driver=luks,key-secret=s,file.filename=disk.luks -c 'write -P 0x11 0 64k' >/dev/null`,
  "virsh secret-define volume.xml; virsh secret-define overlay.xml",
  `printf '${OLD}' >value; virsh secret-set-value ${VOLUME} --plain --file value`,
  `printf '${NEW}' >value; virsh secret-set-value ${OVERLAY} --plain --file value; rm value; virsh define vm1.xml`,
].join("; ");
/** QEMU's access to the disk as the guest's. What it finds is in its log. */
const io = (command: string): string =>
  `virsh qemu-monitor-command vm1 --hmp 'qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend "${command}"'`;
const READ_BOTH = `${io("read -P 0x11 0 64k")}; ${io("read -P 0x22 64k 64k")}`;
const SECRETS = `virsh qemu-monitor-command vm1 '{"execute":"qom-list","arguments":{"path":"/objects"}}' | grep -oE 'libvirt-[0-9]+-format-encryption-secret0' | sort`;
const XML =
  "virsh dumpxml vm1 | grep -oE \"file='[^']*'|uuid='[^']*'\"; virsh dumpxml vm1 --inactive | grep -c passphrase";
/** Files of svirt with a passphrase as it is or in Base64, besides the secrets' own. */
const SEARCH = `cd /; grep -rlE '${OLD}|${btoa(OLD)}|${NEW}|${btoa(NEW)}' run/svirt var/lib/svirt var/log/svirt etc/svirt /proc/$(cat run/svirt/${UUID}/pid)/cmdline /proc/$(cat run/svirt/${UUID}/pid)/environ | grep -v /secrets/; ls run/svirt/${UUID} | grep secret`;
const LOG =
  "grep -cE '^(read|wrote) 65536/65536' /var/log/svirt/vm1.log; grep -E 'verification|rror' /var/log/svirt/vm1.log";

function named(secret: string): string {
  return `uuid='${secret}'`;
}

function file(name: string): string {
  return `file='${folder}/${name}'`;
}

describe.skipIf(ASIDE !== "")(`stock virsh changes the images of encrypted disks, in QEMU${ASIDE}`, () => {
  inTurn(
    "an encrypted overlay is made, written and committed into the LUKS volume, and QEMU forgets its passphrase",
    () => {
      const [, start, snapshot, over, two, xml, found, commit, one, after, , log] = onNewNode(folder, [
        PREPARE,
        "virsh start vm1",
        `virsh snapshot-create vm1 snap.xml --disk-only; ${io("write -P 0x22 64k 64k")}`,
        "qemu-img info -U over.qcow2 | grep -E 'backing file format|encrypted'",
        SECRETS,
        XML,
        SEARCH,
        `virsh blockcommit vm1 vda --active --pivot --wait; ${READ_BOTH}`,
        SECRETS,
        XML,
        "virsh snapshot-delete vm1 s1 --metadata; virsh destroy vm1",
        LOG,
      ]);
      expect([start?.err, snapshot?.err, commit?.err]).toEqual(["", "", ""]);
      expect(over?.out.split("\n")).toEqual(["encrypted: yes", "backing file format: luks"]);
      expect(two?.out).toMatch(
        /^libvirt-\d+-format-encryption-secret0\nlibvirt-\d+-format-encryption-secret0$/,
      );
      const both = [file("over.qcow2"), named(OVERLAY), file("disk.luks"), named(VOLUME)];
      expect(xml?.out.split("\n")).toEqual([...both, "2"]);
      expect(found?.out).toBe("");
      expect(one?.out).toBe("libvirt-1-format-encryption-secret0");
      expect(after?.out.split("\n")).toEqual([file("disk.luks"), named(VOLUME), "1"]);
      expect(log?.out).toBe("3");
    },
    LONG_MS,
  );

  inTurn(
    "a disk is copied to a LUKS volume of another passphrase and started from it; a snapshot that would not be encrypted is refused, and a copy is not encrypted on purpose",
    () => {
      const [, copy, one, xml, again, refused, plain, none, without, found, , log] = onNewNode(folder, [
        PREPARE,
        `virsh start vm1; ${io("write -P 0x22 64k 64k")}; virsh blockcopy vm1 vda --xml copy.xml --wait --pivot --transient-job`,
        SECRETS,
        XML,
        `virsh destroy vm1; virsh start vm1; ${READ_BOTH}`,
        "virsh snapshot-create-as vm1 s1 --disk-only --no-metadata; ls copy.s1",
        `virsh blockcopy vm1 vda --dest $PWD/plain.qcow2 --format qcow2 --wait --pivot --transient-job; ${READ_BOTH}`,
        SECRETS,
        XML,
        SEARCH,
        "virsh destroy vm1",
        LOG,
      ]);
      expect([copy?.err, again?.err, plain?.err]).toEqual(["", "", ""]);
      expect(one?.out).toMatch(/^libvirt-\d+-format-encryption-secret0$/);
      expect(refused?.err).toContain("disk 'vda' is encrypted, and the snapshot's overlay would not be");
      expect(refused?.err).toContain("cannot access 'copy.s1'");
      expect(xml?.out.split("\n")).toEqual([file("copy.luks"), named(OVERLAY), "1"]);
      expect(none?.out).toBe("");
      expect(without?.out.split("\n")).toEqual([file("plain.qcow2"), "0"]);
      expect(found?.out).toBe("");
      expect(log?.out).toBe("5");
    },
    LONG_MS,
  );

  inTurn(
    "a domain that is off gets an encrypted overlay, starts with it, and is reverted",
    () => {
      const [, snapshot, xml, start, revert, reverted, log] = onNewNode(folder, [
        PREPARE,
        "virsh snapshot-create vm1 snap.xml --disk-only",
        "virsh dumpxml vm1 --inactive | grep -oE \"file='[^']*'|uuid='[^']*'\"",
        `virsh start vm1; ${io("read -P 0x11 0 64k")}; ${io("write -P 0x22 64k 64k")}; virsh destroy vm1`,
        `virsh snapshot-revert vm1 s1; virsh start vm1; ${io("read -P 0x11 0 64k")}; ${io("read -P 0x22 64k 64k")}; virsh destroy vm1`,
        "virsh dumpxml vm1 --inactive | grep -oE \"file='[^']*'|uuid='[^']*'\"; qemu-img info disk.[0-9]* | grep encrypted:",
        LOG,
      ]);
      expect([snapshot?.err, start?.err, revert?.err]).toEqual(["", "", ""]);
      const both = [file("over.qcow2"), named(OVERLAY), file("disk.luks"), named(VOLUME)];
      expect(xml?.out.split("\n")).toEqual(both);
      expect(reverted?.out.split("\n").slice(1)).toEqual([
        named(VOLUME),
        file("disk.luks"),
        named(VOLUME),
        "encrypted: yes",
      ]);
      // What the overlay had is not there.
      expect(log?.out.split("\n")).toEqual(["4", "Pattern verification failed at offset 65536, 65536 bytes"]);
    },
    LONG_MS,
  );
});
