import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

const UUID = crypto.randomUUID();
const ASIDE = lackOf(["virsh", "script"]);
const folder = makeFolder();
const MIB = 1024 * 1024;
writeFileSync(
  join(folder, "vm1.xml"),
  `<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory>
  <os><type>hvm</type><bios useserial='yes'/></os><devices><serial type='pty'/><video><model type='vga'/></video>
  <graphics type='vnc'/></devices><seclabel type='none'/></domain>`,
);
// Connects virsh to the console, at a terminal as it needs one, and returns once it has said so; keys go to
// descriptor $3.
writeFileSync(
  join(folder, "hold.sh"),
  `hold() {
    mkfifo $1.keys
    script -qefc "virsh console vm1 $2" $1 <$1.keys >/dev/null 2>&1 &
    eval "exec $3>$1.keys"
    for tries in $(seq 600); do grep -aq Connected $1 && return; sleep 0.1; done
  }
`,
);
writeFileSync(join(folder, "data"), new Uint8Array(5 * MIB).fill(7));

describe.skipIf(ASIDE !== "")(`stock virsh and streams of svirt${ASIDE}`, () => {
  test(
    "uploads and downloads volumes, parts of them, and their holes",
    () => {
      const target = `/srv/${folder.slice(folder.lastIndexOf("/") + 1)}`;
      const said = onNewNode(folder, [
        `virsh pool-create-as p1 dir --target ${target} --build && virsh vol-create-as p1 v 8M --format raw`,
        "virsh vol-upload v data --pool p1",
        "virsh vol-download v whole --pool p1",
        "virsh vol-download v part --pool p1 --offset 5242878 --length 4",
        "truncate -s 64M holes && virsh vol-create-as p1 w 64M --format raw && dd if=data of=holes bs=1M count=1 seek=32 conv=notrunc status=none && virsh vol-upload w holes --pool p1 --sparse",
        `cmp holes ${target}/w && du -k ${target}/w | cut -f1`,
        "virsh vol-download w copy --pool p1 --sparse && cmp holes copy",
        "virsh vol-upload v data --pool p1 --offset 1048576 --length 1048576",
        "virsh -r vol-download v none --pool p1",
        "virsh pool-destroy p1",
      ]);
      rmSync(target, { recursive: true });
      const [, upload, download, part, , holes, copy, tooLong, reading] = said;
      expect([upload, download, part, copy]).toEqual([...DONE, ...DONE, ...DONE, ...DONE]);
      const whole = readFileSync(join(folder, "whole"));
      expect(whole.length).toBe(8 * MIB);
      expect(whole.subarray(0, 5 * MIB).equals(readFileSync(join(folder, "data")))).toBe(true);
      expect([...readFileSync(join(folder, "part"))]).toEqual([7, 7, 0, 0]);
      expect(Number(holes?.out)).toBeLessThan(4096);
      expect(statSync(join(folder, "copy")).blocks * 512).toBeLessThan(4 * MIB);
      expect(tooLong?.err).toContain("cannot write to stream: No space left on device");
      expect(reading?.err).toContain("read only access prevents virStorageVolDownload");
    },
    TEST_MS,
  );

  test(
    "gets a picture of a guest's screen, and shows its console to one at a time",
    () => {
      const [, start, picture, type, consoles, after] = onNewNode(folder, [
        ...[
          "virsh define vm1.xml",
          "virsh start vm1",
          "virsh screenshot vm1 screen",
          "head -c 4 screen | od -An -tx1",
        ],
        `. ./hold.sh; hold one '' 3; script -qec 'virsh console vm1' busy </dev/null >/dev/null; hold two --force 4; printf '\\035' >&4; wait; cat one busy two`,
        "virsh domstate vm1; virsh destroy vm1",
      ]);
      expect(start?.err).toBe("");
      expect(picture?.out).toBe("Screenshot saved to screen, with type of image/png");
      expect(type?.out).toBe("89 50 4e 47");
      expect(consoles?.out.match(/Connected to domain 'vm1'/g)).toHaveLength(2);
      const errors = consoles?.out.match(/^error: .*$/gm) ?? [];
      expect(errors.at(-1)).toContain("operation failed: Active console session exists for this domain");
      // The words of libvirt's daemonStreamEvent() for a stream that another session replaces, if virsh still
      // prints them.
      for (const error of errors.slice(0, -1)) expect(error).toContain("stream had I/O failure");
      expect(after?.out).toStartWith("running");
    },
    TEST_MS,
  );
});

const DONE = [{ code: 0, out: "", err: "" }];
