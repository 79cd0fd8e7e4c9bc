import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

// Stock virsh changes limits of a running guest and of its definition, of QEMU itself.

const ASIDE = lackOf(["virsh", "qemu-img"]);
const folder = makeFolder();
const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;

const XML = `<domain type='qemu'><name>vm1</name><uuid>${crypto.randomUUID()}</uuid><memory unit='MiB'>64</memory>
  <os><type>hvm</type></os><iothreads>1</iothreads><devices><disk type='file'><driver name='qemu' type='raw'/>
  <source file='/srv/${folder.split("/").at(-1)}.img'/><target dev='vda' bus='virtio'/></disk></devices>
  <seclabel type='none'/></domain>`;
writeFileSync(join(folder, "vm1.xml"), XML);
const IMAGE = /file='([^']+)'/.exec(XML)?.[1] ?? "";

describe.skipIf(ASIDE !== "")(`stock virsh on svirt${ASIDE}`, () => {
  test(
    "limits a disk and changes I/O threads of a running guest",
    () => {
      const throttle = `qemu-monitor-command vm1 '{"execute":"query-block"}'`;
      const [, , , , limits, shown, own, , , , , , threads, ownThreads, properties, status] = onNewNode(
        folder,
        [
          `qemu-img create -q -f raw ${IMAGE} 1M`,
          ...["virsh define vm1.xml", "virsh start vm1"],
          "virsh blkdeviotune vm1 vda --total-iops-sec 100 --read-bytes-sec 4096 --live --config",
          `${SVIRT} ${throttle}`,
          ...["virsh blkdeviotune vm1 vda", `${SVIRT} blkdeviotune vm1 vda`],
          ...[
            "virsh iothreadadd vm1 4 --live --config",
            "virsh iothreadadd vm1 5",
            "virsh iothreaddel vm1 5",
          ],
          "virsh iothreadset vm1 4 --poll-max-ns 5000 --thread-pool-min 70 --thread-pool-max 80",
          "virsh iothreadpin vm1 4 0",
          ...["virsh iothreadinfo vm1", `${SVIRT} iothreadinfo vm1`],
          `${SVIRT} qemu-monitor-command vm1 '{"execute":"qom-get","arguments":{"path":"/objects/iothread4","property":"thread-pool-max"}}'`,
          "virsh qemu-monitor-command vm1 --hmp info status",
          ...["virsh destroy vm1", "virsh undefine vm1", `rm ${IMAGE}`],
        ],
      ).map(({ out }) => out.trim());
      expect(limits).toContain('"iops":100');
      expect(limits).toContain('"bps_rd":4096');
      expect(shown).toContain("total_iops_sec : 100\n");
      expect(own).toBe(shown ?? "");
      expect(threads?.split("\n").toSorted()).toEqual([
        expect.stringMatching(/^ 1 +0/),
        expect.stringMatching(/^ 4 +0$/),
        expect.stringMatching(/^-+$/),
        expect.stringMatching(/^IOThread ID +CPU Affinity$/),
      ]);
      expect(ownThreads).toBe(threads ?? "");
      expect(status).toBe("VM status: running");
      expect(properties).toBe('{"return":80}');
    },
    TEST_MS,
  );
});
