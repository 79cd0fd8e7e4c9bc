import { describe, expect } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testInTurn } from "../sample.ts";
import { lackOf, makeFolder, onNewNode, type Said, TEST_MS } from "./client-node.ts";

const inTurn = testInTurn(4, 1);

const UUID = crypto.randomUUID();
const ASIDE = lackOf(["virsh"]);
const folder = makeFolder();

writeFileSync(
  join(folder, "vm1.xml"),
  `<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory><vcpu current='1'>2</vcpu>
  <os><type>hvm</type></os><features><acpi/></features><devices>
  <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk></devices><seclabel type='none'/></domain>`,
);
writeFileSync(
  join(folder, "disk.xml"),
  `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${folder}/disk.raw'/><target dev='vdb' bus='virtio'/></disk>`,
);

/** Returns what each call says, without the empty line at the end. All calls must succeed. */
function outOf(said: readonly Said[]): string[] {
  expect(said.map(({ code, err }) => [code, err])).toEqual(said.map(() => [0, ""]));
  return said.map(({ out }) => out);
}

describe.skipIf(ASIDE !== "")(`stock virsh changes domains and volumes of svirt${ASIDE}`, () => {
  inTurn(
    "attaches, detaches and changes devices, memory and virtual CPUs",
    () => {
      const [, , attach, live, detach, off, insert, cd, , vcpus, info, , counts] = outOf(
        onNewNode(folder, [
          "truncate -s 1M disk.raw cd.iso; virsh define vm1.xml",
          ...["virsh start vm1", "virsh attach-device vm1 disk.xml --persistent", "virsh domblklist vm1"],
          ...["virsh detach-device vm1 disk.xml --config", "virsh domblklist vm1 --inactive"],
          ...[`virsh change-media vm1 sda ${folder}/cd.iso --insert`, "virsh domblklist vm1"],
          ...["virsh setvcpus vm1 2", "virsh vcpucount vm1 --active --live", "virsh vcpuinfo vm1"],
          ...[
            "virsh setmaxmem vm1 128M --config",
            "virsh setvcpus vm1 4 --maximum --config; virsh vcpucount vm1",
          ],
          ...["virsh destroy vm1", "virsh setmem vm1 100M --config; virsh dumpxml vm1 | grep -c 102400"],
        ]),
      );
      expect([attach, detach, insert]).toEqual([
        "Device attached successfully",
        "Device detached successfully",
        "Successfully inserted media.",
      ]);
      expect(live).toContain(`vdb      ${folder}/disk.raw`);
      expect(off).not.toContain("vdb");
      expect(cd).toContain(`sda      ${folder}/cd.iso`);
      expect(vcpus).toBe("2");
      expect(info).toMatch(/^VCPU: +1\nCPU: +\d+\nState: +running$/m);
      expect(counts).toMatch(/^maximum +config +4\nmaximum +live +2\n/);
    },
    TEST_MS,
  );

  inTurn(
    "saves and restores a guest, to a file and for its next start",
    () => {
      const file = `${folder}/vm1.save`;
      const [, , save, saved, xml, restore, state, , managed, , restored] = outOf(
        onNewNode(folder, [
          ...[
            "virsh define vm1.xml",
            "virsh start vm1",
            `virsh save vm1 ${file}`,
            "virsh domstate --reason vm1",
          ],
          ...[`virsh save-image-dumpxml ${file}`, `virsh restore ${file} --paused`, "virsh domstate vm1"],
          ...[
            "virsh domjobinfo vm1",
            "virsh managedsave vm1 --running",
            "virsh start vm1",
            "virsh domstate --reason vm1",
          ],
          "virsh destroy vm1",
        ]),
      );
      expect(save).toEndWith(`Domain 'vm1' saved to ${file}`);
      expect(saved).toBe("shut off (saved)");
      expect(xml).toContain(`<uuid>${UUID}</uuid>`);
      expect([restore, state]).toEqual([`Domain restored from ${file}`, "paused"]);
      expect(managed).toBe("Domain 'vm1' state saved by libvirt");
      expect(restored).toBe("running (restored)");
    },
    TEST_MS,
  );

  inTurn(
    "clones, converts, resizes and wipes volumes",
    () => {
      const target = `/srv/${folder.slice(folder.lastIndexOf("/") + 1)}`;
      writeFileSync(
        join(folder, "volume.xml"),
        "<volume><name>c.raw</name><capacity>0</capacity><target><format type='raw'/></target></volume>",
      );
      const [, , clone, resize, info, converted, wipe, patterns] = outOf(
        onNewNode(folder, [
          `virsh pool-create-as p1 dir --target ${target} --build`,
          "virsh vol-create-as p1 a.qcow2 4M --format qcow2",
          ...["virsh vol-clone a.qcow2 b.qcow2 --pool p1", "virsh vol-resize b.qcow2 8M --pool p1"],
          ...[
            "virsh vol-info b.qcow2 --pool p1",
            "virsh vol-create-from p1 volume.xml a.qcow2 --inputpool p1",
          ],
          ...[
            "virsh vol-wipe b.qcow2 --pool p1",
            "virsh vol-wipe b.qcow2 --pool p1 --algorithm dod 2>&1 || true",
          ],
          "virsh pool-destroy p1",
        ]),
      );
      rmSync(target, { recursive: true });
      expect([clone, resize]).toEqual([
        "Vol b.qcow2 cloned from a.qcow2",
        "Size of volume 'b.qcow2' successfully changed to 8M",
      ]);
      expect(info).toMatch(/^Capacity: +8\.00 MiB$/m);
      expect(converted).toBe("Vol c.raw created from input vol a.qcow2");
      expect(wipe).toBe("Vol b.qcow2 wiped");
      expect(patterns).toContain("argument unsupported: 'dod' algorithm not supported");
    },
    TEST_MS,
  );
});
