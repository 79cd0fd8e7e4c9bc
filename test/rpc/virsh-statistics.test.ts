import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

const UUID = crypto.randomUUID();
const BYTES = 1024 * 1024;
const ASIDE = lackOf(["virsh"]);
const folder = makeFolder();

writeFileSync(
  join(folder, "vm1.xml"),
  `<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory><vcpu current='1'>2</vcpu>
  <os><type>hvm</type></os><devices><disk type='file' device='disk'><driver name='qemu' type='raw'/>
  <source file='${folder}/disk.raw'/><target dev='vda' bus='virtio'/></disk></devices><seclabel type='none'/></domain>`,
);

describe.skipIf(ASIDE !== "")(`stock virsh asks svirt for statistics${ASIDE}`, () => {
  test(
    "of a running guest, and prints them",
    () => {
      const said = onNewNode(folder, [
        `truncate -s ${BYTES} disk.raw`,
        ...["virsh create vm1.xml", "virsh domstats", "virsh domstats vm1 --state --vcpu --raw"],
        ...["virsh domblkstat vm1 vda", "virsh domblkinfo vm1 vda", "virsh dommemstat vm1"],
        ...[
          "virsh domcontrol vm1",
          "virsh cpu-stats vm1 --total",
          "virsh domifaddr vm1",
          "virsh domblkstat vm1 vdz",
        ],
        "virsh destroy vm1",
      ]);
      const last = said.length - 2;
      expect(said.map(({ code }) => code)).toEqual(said.map((_, at) => (at === last ? 1 : 0)));
      const [all, some, disk, sizes, memory, control, times, addresses, unknown] = said
        .slice(2)
        .map(({ err, out }) => out + err);
      // The layouts are those of libvirt's tools/virsh-domain-monitor.c; the values are those of the XML.
      for (const line of [
        "state.state=1",
        "balloon.maximum=65536",
        "block.count=1",
        `block.0.capacity=${BYTES}`,
      ])
        expect(all).toContain(`\n  ${line}\n`);
      expect(some).toMatch(
        /^Domain: 'vm1'\n {2}state.state=1\n {2}state.reason=1\n {2}vcpu.current=1\n {2}vcpu.maximum=2\n/,
      );
      expect(disk).toMatch(
        /^vda rd_req \d+\nvda rd_bytes \d+\nvda wr_req 0\nvda wr_bytes 0\nvda flush_operations 0\n/,
      );
      expect(sizes).toMatch(new RegExp(`^Capacity: +${BYTES}\nAllocation: +0\nPhysical: +${BYTES}$`));
      expect(memory).toMatch(/^actual 65536\n/);
      expect(memory).toMatch(/^rss \d+$/m);
      expect(control).toBe("ok");
      expect(times).toMatch(
        /cpu_time +\d+\.\d+ seconds\n\tuser_time +\d+\.\d+ seconds\n\tsystem_time +\d+\.\d+ seconds$/,
      );
      expect(addresses).toMatch(/^ ?Name +MAC address +Protocol +Address\n-+$/);
      expect(unknown).toBe("error: invalid path: vdz");
    },
    TEST_MS,
  );
});
