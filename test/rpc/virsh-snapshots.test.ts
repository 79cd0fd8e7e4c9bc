import { describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testInTurn } from "../sample.ts";
import { lackOf, makeFolder, onNewNode, type Said, TEST_MS } from "./client-node.ts";

const inTurn = testInTurn(4, 1);

const UUID = crypto.randomUUID();
const ASIDE = lackOf(["virsh", "qemu-img"]);
const folder = makeFolder();

writeFileSync(
  join(folder, "vm1.xml"),
  `<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type>hvm</type></os><devices>
  <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${folder}/base.qcow2'/>
  <target dev='vda' bus='virtio'/></disk></devices><seclabel type='none'/></domain>`,
);
const NEW = ["qemu-img create -q -f qcow2 base.qcow2 4M; virsh define vm1.xml"];
const END = ["virsh destroy vm1; virsh undefine vm1 --snapshots-metadata"];
/** virsh's table of snapshots. */
const TIME = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d [+-]\\d{4}";

/** Returns what each call says, without the empty line at the end. All calls must succeed. */
function outOf(said: readonly Said[]): string[] {
  expect(said.map(({ code, err }) => [code, err])).toEqual(said.map(() => [0, ""]));
  return said.map(({ out }) => out);
}

describe.skipIf(ASIDE !== "")(`stock virsh and snapshots of svirt${ASIDE}`, () => {
  inTurn(
    "takes snapshots of a running guest, lists them, and forgets them",
    () => {
      const [, , first, second, list, tree, names, current, parent, info, xml, blk, , ...rest] = outOf(
        onNewNode(folder, [
          ...NEW,
          "virsh start vm1",
          "virsh snapshot-create-as vm1 s1 'as it was' --disk-only --atomic",
          "virsh snapshot-create-as vm1 s2 --disk-only",
          ...[
            "virsh snapshot-list vm1 --parent",
            "virsh snapshot-list vm1 --tree",
            "virsh snapshot-list vm1 --name --leaves",
          ],
          ...[
            "virsh snapshot-current vm1 --name",
            "virsh snapshot-parent vm1 s2",
            "virsh snapshot-info vm1 s1",
          ],
          ...["virsh snapshot-dumpxml vm1 s1", "virsh domblklist vm1", "virsh snapshot-current vm1 s1"],
          ...["virsh snapshot-current vm1 --name", "virsh destroy vm1"],
          ...["virsh undefine vm1 2>&1 || true", "virsh snapshot-delete vm1 s1 --children --metadata"],
          ...["virsh snapshot-list vm1 --name", "virsh undefine vm1"],
        ]),
      );
      expect([first, second]).toEqual(["Domain snapshot s1 created", "Domain snapshot s2 created"]);
      expect(list).toMatch(
        new RegExp(
          `^ *Name +Creation Time +State +Parent\\n-+\\n *s1 +${TIME} +disk-snapshot *\\n *s2 +${TIME} +disk-snapshot +s1$`,
        ),
      );
      expect(tree).toBe("s1\n  |\n  +- s2");
      expect([names, current, parent]).toEqual(["s2", "s2", "s1"]);
      expect(info).toMatch(
        /Current: +no\nState: +disk-snapshot\nLocation: +external\nParent: +-\nChildren: +1/,
      );
      expect(xml).toContain("<description>as it was</description>");
      expect(xml).toContain(`<source file='${folder}/base.s1'/>`);
      expect(xml).toContain(`<source file='${folder}/base.qcow2'/>`);
      expect(blk).toContain(`${folder}/base.s2`);
      const [now, , refused, deleted, none] = rest;
      expect(now).toBe("s1");
      expect(refused).toContain("cannot delete inactive domain with 2 snapshots");
      expect([deleted, none]).toEqual(["Domain snapshot s1 deleted", ""]);
    },
    TEST_MS,
  );

  inTurn(
    "takes a snapshot of a running guest with its memory, which is not deleted as a volume, and reverts to it",
    () => {
      const [, , taken, state, info, xml, mode, head, pool, refused, ...rest] = outOf(
        onNewNode(folder, [
          `rm -f base.*; ${NEW.join()}`,
          "virsh start vm1",
          `virsh snapshot-create-as vm1 m1 --memspec file=${folder}/vm1-mem.m1,snapshot=external --diskspec vda,snapshot=external`,
          ...["virsh domstate vm1", "virsh snapshot-info vm1 m1", "virsh snapshot-dumpxml vm1 m1"],
          ...["stat -c %a vm1-mem.m1", "head -c 16 vm1-mem.m1"],
          `virsh pool-create-as p dir --target ${folder}`,
          `virsh vol-delete ${folder}/vm1-mem.m1 2>&1 || true`,
          ...[
            "virsh snapshot-revert vm1 m1",
            "virsh domstate vm1 --reason",
            "virsh snapshot-current vm1 --name",
          ],
          "qemu-img info -U \"$(virsh domblklist vm1 | grep -o '/.*')\" | grep '^backing file:'",
          ...["virsh destroy vm1", "virsh snapshot-revert vm1 m1", "virsh domstate vm1"],
          END.join(),
        ]),
      );
      const [reverted, runs, current, below, , again, runsAgain] = rest;
      expect([reverted, again]).toEqual(["Domain snapshot m1 reverted", "Domain snapshot m1 reverted"]);
      expect([runs, runsAgain]).toEqual([expect.stringMatching(/^running /), "running"]);
      expect([current, below]).toEqual(["m1", `backing file: ${folder}/base.qcow2`]);
      expect([taken, state]).toEqual(["Domain snapshot m1 created", "running"]);
      expect(info).toMatch(/State: +running\nLocation: +external/);
      expect(xml).toContain(`<memory snapshot='external' file='${folder}/vm1-mem.m1'/>`);
      expect([mode, head]).toEqual(["600", "LibvirtQemudSave"]);
      expect(pool).toContain("Pool p created");
      expect(refused).toContain("the snapshot 'm1' of the domain 'vm1' has it");
    },
    TEST_MS,
  );

  inTurn(
    "takes a snapshot of a guest that is off, and reverts to it",
    () => {
      const [, taken, , , reverted, current, image, redefined, list] = outOf(
        onNewNode(folder, [
          ...NEW,
          "rm -f base.s1; virsh snapshot-create-as vm1 s1 --disk-only",
          ...[
            "virsh snapshot-dumpxml vm1 s1 >s1.xml",
            "rm -f base.s2; virsh snapshot-create-as vm1 s2 --disk-only",
          ],
          ...["virsh snapshot-revert vm1 s1", "virsh snapshot-current vm1 --name"],
          "qemu-img info \"$(virsh domblklist vm1 | grep -o '/.*')\" | grep '^backing file:'",
          ...["virsh snapshot-create vm1 s1.xml --redefine", "virsh snapshot-list vm1 --inactive --name"],
          ...END.map((line) => line.replace("virsh destroy vm1; ", "")),
        ]),
      );
      expect([taken, reverted, current]).toEqual([
        "Domain snapshot s1 created",
        "Domain snapshot s1 reverted",
        "s1",
      ]);
      expect(image).toBe(`backing file: ${folder}/base.qcow2`);
      expect(redefined).toBe("Domain snapshot s1 created from 's1.xml'");
      expect(list).toBe("s1\ns2");
    },
    TEST_MS,
  );

  inTurn(
    "commits, pulls, copies and resizes the images of a running guest",
    () => {
      const [, , , commit, after, , pull, chain, copy, job, speed, abort, resize, size] = outOf(
        onNewNode(folder, [
          `rm -f base.* copy.*; ${NEW.join()}`,
          ...["virsh start vm1", "virsh snapshot-create-as vm1 c1 --disk-only --no-metadata"],
          "virsh blockcommit vm1 vda --active --pivot --wait",
          ...["virsh domblklist vm1", "virsh snapshot-create-as vm1 c2 --disk-only --no-metadata"],
          ...["virsh blockpull vm1 vda --wait", "qemu-img info -U base.c2 | grep -c backing || true"],
          `virsh blockcopy vm1 vda ${folder}/copy.qcow2 --wait`,
          ...["virsh blockjob vm1 vda 2>&1", "virsh blockjob vm1 vda 5", "virsh blockjob vm1 vda --abort"],
          ...["virsh blockresize vm1 vda 8M", "virsh domblkinfo vm1 vda | head -1"],
          "virsh destroy vm1; virsh undefine vm1",
        ]),
      );
      expect(commit).toEndWith("Successfully pivoted");
      expect(after).toContain(`${folder}/base.qcow2`);
      expect(pull).toEndWith("Pull complete");
      expect(chain).toBe("0");
      expect(copy).toEndWith("Now in mirroring phase");
      expect(job).toContain("Block Copy: [100");
      expect([speed, abort]).toEqual(["", ""]);
      expect(resize).toBe("Block device 'vda' is resized");
      expect(size).toMatch(/^Capacity: +8388608$/);
    },
    TEST_MS,
  );
});
