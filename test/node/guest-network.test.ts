import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringLinux, LINUX } from "./linux-guest/on-the-node.ts";
import { bringPeer } from "./peers/on-the-node.ts";
import { bringPrograms, PROGRAMS } from "./programs/on-the-node.ts";

const onTheNode = await onANode();
bringPrograms();
bringLinux();
bringPeer();

/** Name server that only QEMU asks: for its guest, or to find the server of a disk. */
const NAMES = `
  $here/peer names >/dev/null 2>$work/names &
  names=$!
`;

onTheNode(
  "a Linux guest uses all queues of its tap, and asks for a name through user networking",
  async () => {
    const notes = await onNode(`${LINUX}${NAMES}
    ip link add lifebr0 type bridge
    ip addr add 192.168.76.1/24 dev lifebr0
    ip link set lifebr0 up
    tap="<interface type='bridge'><source bridge='lifebr0'/><model type='virtio'/><driver queues='2'/></interface>"
    user="<interface type='user'><model type='virtio'/></interface>"
    guest_type=kvm xml life-a "$tap$user<serial type='file'><source path='$here/life-a.serial'/></serial>" \\
      "<vcpu>2</vcpu>" | as_linux network >$work/linux.xml
    svirt define $work/linux.xml >/dev/null
    note start svirt start life-a
    note context context_of $(pid_of life-a)
    wait_gone life-a
    kill $names
    note said sh -c "tr -d '\\r' <$here/life-a.serial | grep '^[a-z]*='"
    note reason svirt domstate --reason life-a
    ip link del lifebr0
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    expect(outOf(notes, "context")).toMatch(/:svirt_net_t:s0:c\d+,c\d+$/);
    expect(outOf(notes, "said").split("\n")).toEqual(["queues=2", "host=done", "name=127.0.0.1", "end=done"]);
    expect(outOf(notes, "reason")).toBe("shut off (shutdown)");
  },
);

onTheNode("who serves a disk over the network is found by name", async () => {
  const notes = await onNode(`${PROGRAMS}${NAMES}
    copy off-later a.img
    tool qemu-storage-daemon --pidfile $here/daemon.pid --blockdev file,node-name=a,filename=$here/a.img \\
      --nbd-server addr.type=inet,addr.host=127.0.0.1,addr.port=10809 --export nbd,id=e,node-name=a,name=x,writable=on \\
      >$here/daemon.log 2>&1 &
    wait_for test -s $here/daemon.pid
    guest life-b "<disk type='network'><driver type='raw'/><source protocol='nbd' name='x'><host name='disk.test' port='10809'/></source><target dev='vda' bus='virtio'/></disk>"
    note start svirt start life-b
    note context context_of $(pid_of life-b)
    note block svirt qemu-monitor-command life-b --hmp info block
    wait_gone life-b
    note reason svirt domstate --reason life-b
    kill $(cat $here/daemon.pid) $names
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "context")).toMatch(/:svirt_tcg_net_t:s0:c\d+,c\d+$/);
  expect(outOf(notes, "block")).toContain("disk.test");
  // It has booted from the disk: only the boot sector powers it off.
  expect(outOf(notes, "reason")).toBe("shut off (shutdown)");
});
