import { expect } from "bun:test";
import { type Notes, noteOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { tryAll } from "./isolation/on-the-node.ts";

const onTheNode = await onANode();

/** Output of `svirt explain --json`, as far as these tests read it. */
interface Told {
  readonly guest?: { readonly name: string; readonly state: string };
  readonly owner?: { readonly name: string };
  readonly subject: string;
  readonly denied: string;
  readonly object: string;
  readonly permissions: readonly string[];
  readonly rule?: string;
  readonly reason: string;
  readonly remedy: string;
}

function toldIn(notes: Notes, name: string): Told[] {
  expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
  return JSON.parse(noteOf(notes, name).out);
}

/** Makes QEMU open a file by its name, as a guest that has taken QEMU over could. */
const OPEN = `
  opens() {
    opens_id=$((\${opens_id-0} + 1))
    svirt qemu-monitor-command "$1" '{"execute":"blockdev-add","arguments":{"driver":"file","node-name":"try'$opens_id'","filename":"'"$2"'"}}' >/dev/null 2>&1
  }
  since() { date -u +%Y-%m-%dT%H:%M:%SZ; }
`;

onTheNode(
  "denials of a real QEMU: a neighbour's disk, its own relabelled, a file of nobody's, the host's",
  async () => {
    const notes = await onNode(`
    ${OPEN}
    clean
    copy halt a.img b.img c.img d.img
    # So that SELinux is what denies it.
    chmod 666 $here/*.img
    guest life-a "$(disk $here/a.img)"
    guest life-b "$(disk $here/b.img)"
    svirt start life-a >/dev/null; svirt start life-b >/dev/null
    begun=$(since)
    # Tests that ran before on this node may have caused more denials than explain tells.
    echo "$begun the test of explain begins" >/dev/kmsg
    opens life-a $here/b.img
    opens life-a $here/c.img
    setfattr -n security.selinux -v system_u:object_r:etc_t:s0 $here/d.img
    opens life-a $here/d.img
    own=$(label_of $here/a.img)
    setfattr -n security.selinux -v system_u:object_r:var_t:s0 $here/a.img
    svirt qemu-monitor-command life-a --hmp 'qemu-io libvirt-1-storage "read 0 512"' >/dev/null 2>&1
    note told svirt explain --since $begun --json
    note text svirt explain life-a --since $begun
    setfattr -n security.selinux -v "$own" $here/a.img
    note other svirt explain life-b --since $begun --json
    svirt destroy life-a >/dev/null
    note ended svirt explain --since $begun --json
    note log sh -c "dmesg | sed -n '/$begun the test of explain begins/,\\$p' | svirt explain --file - --json"
    svirt undefine life-a
    note gone svirt explain --since $begun --json
  `);
    const told = toldIn(notes, "told");
    const of = (path: string) => told.find(({ object }) => object.includes(path));
    expect(told.every(({ guest }) => guest?.name === "life-a")).toBe(true);
    expect(of("/b.img")).toMatchObject({ owner: { name: "life-b" } });
    expect(of("/b.img")?.rule).toBeUndefined();
    expect(of("/b.img")?.remedy).toContain("this is an attempt to escape from the guest");
    expect(of("/c.img")?.remedy).toContain("/c.img in its XML");
    expect(of("/d.img")?.remedy).toContain("Allow nothing");
    expect(of("/a.img")?.denied).toContain("may not read a file of type var_t");
    expect(of("/a.img")?.remedy).toStartWith(
      "Label it again: setfattr -n security.selinux -v system_u:object_r:svirt_image_t:s0:c",
    );
    expect(noteOf(notes, "text").out).toContain("Guest:          life-a (");
    expect(toldIn(notes, "other").map(({ object }) => object.split("/").at(-1))).toEqual(["b.img"]);
    expect(toldIn(notes, "ended").map(({ guest }) => guest?.state)).toContain("shut off");
    expect(toldIn(notes, "log").length).toBeGreaterThan(0);
    // Without the definition the owner of the level is unknown.
    expect(
      toldIn(notes, "gone").every(({ guest, subject }) => guest === undefined && subject === "guest"),
    ).toBe(true);
  },
  { denied: /comm="(?:qemu-system-x86|worker)"/ },
);

onTheNode(
  "the adversary in a guest's place: every denial is told with the guest, a reason and a remedy",
  async () => {
    const begun = await onNode(`
    ${OPEN}
    clean
    copy halt a.img b.img
    guest_type=kvm guest life-a "$(disk $here/a.img)"
    guest_type=kvm guest life-b "$(disk $here/b.img)<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/vde'/><target dev='vdb' bus='virtio'/></disk><graphics type='vnc'><listen type='socket'/></graphics><video><model type='vga'/></video>"
    svirt start life-a >/dev/null; svirt start life-b >/dev/null
    note since since
  `);
    await tryAll(() => undefined, { runs: ["kvm"], guests: { guest: "life-a", neighbour: "life-b" } });
    const notes = await onNode(`
    note told svirt explain life-a --since ${noteOf(begun, "since").out.trim()} --json
    note text svirt explain life-a --since ${noteOf(begun, "since").out.trim()}
    clean
  `);
    const told = toldIn(notes, "told").filter(({ subject }) => subject === "guest");
    expect(told.length).toBeGreaterThan(20);
    for (const { guest, reason, remedy } of told) {
      expect(guest?.name).toBe("life-a");
      expect([reason.length > 10, remedy.length > 10]).toEqual([true, true]);
    }
    const neighbours = told.filter(({ owner }) => owner?.name === "life-b");
    const objects = neighbours.map(({ object }) => object);
    expect(objects.some((object) => object.endsWith("/b.img"))).toBe(true);
    for (const { remedy, rule } of neighbours) {
      expect([rule, remedy.includes("an attempt to escape from the guest")]).toEqual([undefined, true]);
    }
    expect(noteOf(notes, "text").out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  },
  { denied: /comm="(?:adversary-guest|launch-svirt)"/ },
);
