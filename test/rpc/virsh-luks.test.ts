import { describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testInTurn } from "../sample.ts";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

const inTurn = testInTurn(6);

const UUID = crypto.randomUUID();
const SECRET = crypto.randomUUID();
const PASSPHRASE = "correct horse battery";
const ASIDE = lackOf(["virsh", "qemu-img"]);
const folder = makeFolder();
const ENCRYPTION = `<encryption format='luks'><secret type='passphrase' uuid='${SECRET}'/></encryption>`;

writeFileSync(
  join(folder, "secret.xml"),
  `<secret ephemeral='yes' private='yes'><uuid>${SECRET}</uuid><usage type='volume'><volume>/luks/vm1</volume></usage></secret>`,
);
// A guest without a system releases only SCSI disks. The older place of <encryption>, and the newer one by
// the secret's usage.
writeFileSync(
  join(folder, "vm1.xml"),
  `<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os>
  <features><acpi/></features><devices><controller type='scsi' model='virtio-scsi'/>
  <disk type='file'><driver name='qemu' type='raw'/><source file='${folder}/disk.luks'>${ENCRYPTION.replace(/uuid='[^']*'/, "usage='/luks/vm1'")}</source><target dev='vda' bus='virtio'/></disk>
  <disk type='file'><driver name='qemu' type='qcow2'/><source file='${folder}/disk.qcow2'/><target dev='vdb' bus='virtio'/>${ENCRYPTION}</disk>
  </devices><seclabel type='none'/></domain>`,
);
writeFileSync(
  join(folder, "disk.xml"),
  `<disk type='file'><driver name='qemu' type='raw'/><source file='${folder}/more.luks'>${ENCRYPTION}</source><target dev='sdb' bus='scsi'/></disk>`,
);

const IMAGES = [
  "luks disk.luks 3M",
  "luks more.luks 5M",
  "qcow2 -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 disk.qcow2 4M",
]
  .map((of) => {
    const options = of.startsWith("luks") ? "luks -o key-secret=s,iter-time=10" : "";
    const words = of.startsWith("luks") ? of.replace("luks", options) : of;
    return `qemu-img create -q --object secret,id=s,data='${PASSPHRASE}' -f ${words}`;
  })
  .join("; ");
const SET_VALUE = `printf '${PASSPHRASE}' >value; virsh secret-set-value ${SECRET} --plain --file value; rm value`;
/** Files of svirt with the passphrase as it is or in Base64, besides the secret's own. */
const SEARCH = `cd /; grep -rlE '${PASSPHRASE}|${btoa(PASSPHRASE)}' run/svirt var/lib/svirt var/log/svirt etc/svirt /proc/$(cat run/svirt/${UUID}/pid)/cmdline /proc/$(cat run/svirt/${UUID}/pid)/environ | grep -v /secrets/; ls run/svirt/${UUID} | grep secret`;

describe.skipIf(ASIDE !== "")(`QEMU opens encrypted disks of stock virsh's guests${ASIDE}`, () => {
  inTurn(
    "with the value of a secret that no argument, record or log has; attaches one and detaches it",
    () => {
      const said = onNewNode(folder, [
        `${IMAGES}; virsh secret-define secret.xml; virsh define vm1.xml`,
        "virsh start vm1",
        SET_VALUE,
        "virsh start vm1",
        "virsh domblkinfo vm1 vda | grep Capacity; virsh domblkinfo vm1 vdb | grep Capacity",
        SEARCH,
        "virsh dumpxml vm1 | grep -c passphrase",
        "virsh attach-device vm1 disk.xml --live",
        "virsh domblkinfo vm1 sdb | grep Capacity",
        SEARCH,
        "virsh detach-device vm1 disk.xml --live",
        "virsh attach-device vm1 disk.xml --live",
        "virsh destroy vm1; virsh domstate vm1",
      ]);
      const [, without, , start, sizes, found, xml, attach, more, foundAgain, detach, again, off] = said;
      expect([without?.code, without?.err]).toEqual([
        1,
        expect.stringContaining(`Secret not found: secret '${SECRET}' does not have a value`),
      ]);
      expect([start?.err, start?.code]).toEqual(["", 0]);
      const [raw, qcow2] = (sizes?.out ?? "").split("\n");
      expect([raw, qcow2, more?.out].map((line) => Number(/\d+/.exec(line ?? "")))).toEqual(
        [3, 4, 5].map((mib) => mib * 1024 * 1024),
      );
      expect([found?.out, foundAgain?.out]).toEqual(["", ""]);
      expect(xml?.out).toBe("2");
      expect([attach?.err, detach?.err, again?.err]).toEqual(["", "", ""]);
      expect(off?.out).toContain("shut off");
    },
    TEST_MS,
  );

  inTurn(
    "refuses a wrong passphrase, a damaged header and an image that is not encrypted, and leaves no file",
    () => {
      const refusals = onNewNode(folder, [
        `${IMAGES}; virsh secret-define secret.xml; virsh define vm1.xml; printf wrong >value`,
        `virsh secret-set-value ${SECRET} --plain --file value; virsh start vm1; ls /run/svirt/${UUID} /var/lib/svirt/records`,
        `${SET_VALUE}; printf '\\0\\2' | dd of=disk.luks bs=1 seek=6 conv=notrunc status=none; virsh start vm1`,
        "truncate -s 100000 disk.luks; virsh start vm1",
        "rm disk.luks; truncate -s 3M disk.luks; virsh start vm1",
        "cp more.luks disk.luks; sed '/disk.qcow2/s,<encryption.*</encryption>,,' vm1.xml >plain.xml; virsh create plain.xml",
        "qemu-img create -q -f qcow2 disk.qcow2 4M; virsh start vm1",
      ]).map(({ err, out }) => out + err);
      expect(refusals[1]).toContain("Invalid password, cannot unlock any keyslot");
      expect(refusals[1]).toContain(`cannot access '/run/svirt/${UUID}'`);
      expect(refusals[2]).toContain("its version is 2");
      expect(refusals[3]).toContain("Cannot read the luks header");
      expect(refusals[4]).toContain("it does not begin with LUKS");
      expect(refusals[5]).toContain("is encrypted (luks), and no secret is named for it");
      expect(refusals[6]).toContain("is not encrypted, and a secret is named for it");
    },
    TEST_MS,
  );

  inTurn(
    "starts a guest with volumes that virsh has made with the secret, and clones one, with the passphrase in no other file",
    () => {
      const made = (name: string, format: string): string =>
        `<volume><name>${name}</name><capacity unit="MiB">4</capacity><target><format type="${format}"/>${ENCRYPTION.replaceAll("'", '"')}</target></volume>`;
      const said = onNewNode(folder, [
        "virsh secret-define secret.xml; mkdir -p images; rm -f images/*; virsh pool-create-as images dir --target $PWD/images",
        `echo '${made("disk.luks", "raw")}' >v.xml; virsh vol-create images v.xml`,
        `${SET_VALUE}; virsh vol-create images v.xml`,
        `echo '${made("disk.qcow2", "qcow2")}' >v.xml; virsh vol-create images v.xml`,
        "virsh vol-clone disk.luks more.luks --pool images; cmp images/disk.luks images/more.luks",
        "virsh vol-dumpxml disk.luks images | grep -E 'encryption|capacity|<format'",
        `sed 's,${folder}/disk,${folder}/images/disk,' vm1.xml >made.xml; virsh define made.xml; virsh start vm1`,
        "virsh domblkinfo vm1 vda | grep Capacity; virsh domblkinfo vm1 vdb | grep Capacity",
        `${SEARCH}; grep -rl '${PASSPHRASE}' ${folder}/images`,
        "virsh blockresize vm1 vda 6M; virsh blockresize vm1 vdb 6M; virsh domblkinfo vm1 vda | grep Capacity; virsh domblkinfo vm1 vdb | grep Capacity",
        "virsh destroy vm1; virsh start vm1; virsh vol-info disk.luks images | grep Capacity; virsh destroy vm1",
        "virsh destroy vm1; virsh vol-delete disk.luks images; virsh vol-delete more.luks images; ls images",
      ]);
      const [, without, raw, qcow2, clone, xml, start, sizes, found, resized, again, gone] = said;
      expect([without?.code, without?.err]).toEqual([1, expect.stringContaining("does not have a value")]);
      expect([raw?.err, raw?.code, qcow2?.err, qcow2?.code]).toEqual(["", 0, "", 0]);
      expect([clone?.err, clone?.code]).toEqual(["", 0]);
      expect(xml?.out.split("\n").map((line) => line.trim())).toEqual([
        "<capacity unit='bytes'>4194304</capacity>",
        "<format type='raw'/>",
        "<encryption format='luks'/>",
      ]);
      expect([start?.err, start?.code]).toEqual(["", 0]);
      expect((sizes?.out ?? "").split("\n").map((line) => Number(/\d+/.exec(line)))).toEqual([
        4194304, 4194304,
      ]);
      expect(found?.out).toBe("");
      expect(resized?.err).toBe("");
      expect([...(resized?.out ?? "").matchAll(/Capacity: +(\d+)/g)].map(([, size]) => Number(size))).toEqual(
        [6 * 1024 * 1024, 6 * 1024 * 1024],
      );
      expect([again?.err, again?.out]).toEqual(["", expect.stringContaining("6.00 MiB")]);
      expect(gone?.out.endsWith("disk.qcow2")).toBe(true);
    },
    TEST_MS,
  );
});
