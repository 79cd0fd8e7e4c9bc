import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringPeer } from "./peers/on-the-node.ts";
import { bringPrograms, PROGRAMS } from "./programs/on-the-node.ts";

const onTheNode = await onANode();
bringPrograms();
bringPeer();

/** QEMU's storage daemon, as an administrator's program, with a disk for vhost-user and one for NBD. */
const BACKENDS = `${PROGRAMS}
  truncate -s 16M $here/a.raw $here/b.raw
  serve() {
    rm -f $here/blk.sock $here/nbd.sock
    tool qemu-storage-daemon --pidfile $here/daemon.pid --blockdev file,node-name=a,filename=$here/a.raw \\
      --blockdev file,node-name=b,filename=$here/b.raw \\
      --export vhost-user-blk,id=e1,node-name=a,addr.type=unix,addr.path=$here/blk.sock,writable=on \\
      --nbd-server addr.type=unix,addr.path=$here/nbd.sock --export nbd,id=e2,node-name=b,name=x,writable=on \\
      >$here/daemon.log 2>&1 &
    wait_for test -S $here/nbd.sock
  }
  # speaks NAME: a program that sends a line, and writes down who has connected and what he says.
  speaks() {
    rm -f $here/$1.sock
    $here/peer listen $here/$1.sock $here/$1.report >/dev/null 2>$here/$1.err &
    wait_for test -S $here/$1.sock
  }
  silence() {
    kill $(jobs -p) 2>/dev/null || :
    if [ -e $here/daemon.pid ]; then
      daemon=$(cat $here/daemon.pid)
      kill $daemon
      # The next one needs its sockets and the locks of its disks.
      wait_for is_dead $daemon
    fi
    wait
  }
  shared="<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
  blk="<disk type='vhostuser'><driver type='raw'/><source type='unix' path='$here/blk.sock'/><target dev='vda' bus='virtio'/></disk>"
  nbd="<disk type='network'><driver type='raw'/><source protocol='nbd' name='x'><host transport='unix' socket='$here/nbd.sock'/></source><target dev='vdb' bus='virtio'/></disk>"
  serial="<serial type='unix'><source mode='connect' path='$here/peer.sock'/></serial>"
  egd="<rng model='virtio'><backend model='egd' type='unix'><source mode='connect' path='$here/egd.sock'/></backend></rng>"
`;

onTheNode(
  "disks, a console and randomness that other programs serve: set, in use, and put back",
  async () => {
    const notes = await onNode(`${BACKENDS}
    serve; speaks peer; speaks egd
    sockets="$here/blk.sock $here/nbd.sock $here/peer.sock $here/egd.sock"
    guest life-a "$blk$nbd$serial$egd" "$shared"
    note before labels $sockets
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    note context context_of $(pid_of life-a)
    for socket in $sockets; do label_of $socket && echo; done >$work/all
    note labels cat $work/all
    note chardevs svirt qemu-monitor-command life-a '{"execute":"query-chardev"}'
    note blocks svirt qemu-monitor-command life-a --hmp 'info block'
    note tree svirt qemu-monitor-command life-a --hmp 'info qtree'
    note words tr '\\0' '\\n' </proc/$(pid_of life-a)/cmdline
    note uid uid_of life-a
    note audit svirt audit
    wait_for grep -q context= $here/peer.report
    note peer cat $here/peer.report
    wait_for grep -q context= $here/egd.report
    note egd cat $here/egd.report
    guest life-b "$serial"
    note second svirt start life-b
    note still label_of $here/peer.sock
    svirt destroy life-a >/dev/null
    note after labels $sockets
    note left left life-a
    wait_for grep -q '^end$' $here/peer.report
    note again svirt start life-b
    note theirs label_of $here/peer.sock
    kill -9 $(pid_of life-b); wait_gone life-b
    note killed labels $sockets
    silence
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    const image = outOf(notes, "image");
    const shared = "system_u:object_r:svirt_image_t:s0";
    expect(outOf(notes, "context")).toContain(":svirt_tcg_t:s0:c");
    expect(outOf(notes, "labels").split("\n")).toEqual([image, image, image, shared]);
    const ids = ["chr-vu-virtio-disk0", "charserial0", "charrng0"];
    const chardevs = JSON.parse(outOf(notes, "chardevs")).return as {
      label: string;
      "frontend-open": boolean;
    }[];
    expect(
      chardevs.filter(({ label }) => ids.includes(label)).map((found) => found["frontend-open"]),
    ).toEqual(Array(3).fill(true));
    expect(outOf(notes, "blocks")).toContain("(nbd)");
    // The disk of the daemon, served over vhost-user.
    expect(outOf(notes, "tree")).toContain("vhost-user-blk");
    expect(outOf(notes, "words")).not.toContain("/srv/lifecycle");
    expect(noteOf(notes, "audit")).toMatchObject({ code: 0, err: "" });
    const own = image.replace("object_r:svirt_image_t", "system_r:svirt_peer_t");
    for (const name of ["peer", "egd"])
      expect(outOf(notes, name)).toStartWith(`uid=${outOf(notes, "uid")}\ncontext=${own}`);
    expect(noteOf(notes, "second").code).toBe(5);
    expect(outOf(notes, "still")).toBe(image);
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(outOf(notes, "left")).toBe("");
    expect(noteOf(notes, "again")).toMatchObject({ code: 0, err: "" });
    expect(outOf(notes, "theirs")).toContain(":svirt_image_t:s0:c");
    expect(outOf(notes, "killed")).toBe(outOf(notes, "before"));
  },
);

onTheNode("disks that other programs serve come to a guest that runs, and go again", async () => {
  const notes = await onNode(`${BACKENDS}
    serve; speaks egd
    controller="<controller type='scsi' model='virtio-scsi'/>"
    guest life-a "$controller" "$shared"
    note before labels $here/nbd.sock $here/blk.sock $here/egd.sock
    note first labels $here/nbd.sock
    svirt start life-a >/dev/null
    note image label_in_xml life-a imagelabel
    echo "$nbd" | sed "s/'vdb' bus='virtio'/'sda' bus='scsi'/" >$here/nbd.xml
    echo "$blk" >$here/blk.xml
    echo "$egd" >$here/egd.xml
    note nbd svirt attach-device life-a $here/nbd.xml --live
    note blk svirt attach-device life-a $here/blk.xml --live
    note egd svirt attach-device life-a $here/egd.xml --live
    for socket in $here/nbd.sock $here/blk.sock $here/egd.sock; do label_of $socket && echo; done >$work/all
    note labels cat $work/all
    note blocks svirt qemu-monitor-command life-a --hmp 'info block'
    note tree svirt qemu-monitor-command life-a --hmp 'info qtree'
    note open svirt audit
    note context context_of $(pid_of life-a)
    wait_for grep -q context= $here/egd.report
    note peer cat $here/egd.report
    note detach svirt detach-device life-a $here/nbd.xml --live
    note gone labels $here/nbd.sock
    note still label_of $here/blk.sock
    note again svirt attach-device life-a $here/nbd.xml --live
    note theirs svirt detach-device life-a $here/nbd.xml --live
    svirt destroy life-a >/dev/null
    note after labels $here/nbd.sock $here/blk.sock $here/egd.sock
    note left left life-a
    guest life-a "$controller$(cat $here/nbd.xml)" "$shared"
    note start svirt start life-a
    note given svirt detach-device life-a $here/nbd.xml --live
    note back labels $here/nbd.sock
    svirt destroy life-a >/dev/null
    silence
  `);
  for (const name of ["nbd", "blk", "egd", "detach", "again", "theirs", "start", "given", "open"])
    expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
  const image = outOf(notes, "image");
  expect(outOf(notes, "labels").split("\n")).toEqual([image, image, "system_u:object_r:svirt_image_t:s0"]);
  expect(outOf(notes, "blocks")).toContain("(nbd)");
  expect(outOf(notes, "tree")).toContain("vhost-user-blk");
  const own = outOf(notes, "context").replace(/svirt_\w+/, "svirt_peer_t");
  expect(outOf(notes, "peer")).toContain(`context=${own}`);
  for (const name of ["gone", "back"]) expect(outOf(notes, name)).toBe(outOf(notes, "first"));
  expect(outOf(notes, "still")).toBe(image);
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect(outOf(notes, "left")).toBe("");
});

onTheNode("a TPM that an administrator's swtpm emulates", async () => {
  const notes = await onNode(`${BACKENDS}
    mkdir -p $here/tpm
    swtpm socket --tpm2 --ctrl type=unixio,path=$here/tpm.sock --tpmstate dir=$here/tpm >$here/tpm.log 2>&1 &
    wait_for test -S $here/tpm.sock
    guest life-a "<tpm model='tpm-crb'><backend type='external'><source type='unix' mode='connect' path='$here/tpm.sock'/></backend></tpm>"
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    note used label_of $here/tpm.sock
    note tpm svirt qemu-monitor-command life-a '{"execute":"query-tpm"}'
    svirt destroy life-a >/dev/null
    note left left life-a
    silence
    note socket sh -c "[ ! -e $here/tpm.sock ] || /usr/bin/getfattr --only-values -n security.selinux --absolute-names $here/tpm.sock"
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "used")).toBe(outOf(notes, "image"));
  expect(outOf(notes, "tpm")).toContain('"model":"tpm-crb"');
  expect(outOf(notes, "left")).toBe("");
  expect(outOf(notes, "socket")).not.toContain("svirt_image_t");
});

onTheNode("a network card that waits for the program that serves it", async () => {
  const notes = await onNode(`${BACKENDS}
    card="<interface type='vhostuser'><mac address='52:54:00:00:00:01'/><source type='unix' path='$here/card.sock' mode='server'/><model type='virtio'/></interface>"
    guest life-a "$card" "$shared"
    note plan svirt plan life-a
    $here/peer card $here/card.sock $here/card.report &
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    note link readlink $here/card.sock
    note own label_of $(readlink $here/card.sock)
    note asked cat $here/card.report
    note network svirt qemu-monitor-command life-a --hmp 'info network'
    note audit svirt audit
    guest life-b "$card" "$shared"
    note second svirt start life-b
    svirt destroy life-a >/dev/null
    note gone test -L $here/card.sock
    echo theirs >$here/card.sock
    note taken svirt start life-b
    note theirs cat $here/card.sock
    rm $here/card.sock
    silence
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "plan")).toContain("link /srv/lifecycle/card.sock to the guest's socket /run/svirt/");
  expect(outOf(notes, "own")).toBe(outOf(notes, "image"));
  expect(outOf(notes, "link")).toMatch(/^\/run\/svirt\/[-0-9a-f]+\/guest\/card0.sock$/);
  // VHOST_USER_GET_FEATURES and VHOST_USER_SET_OWNER
  expect(outOf(notes, "asked").split("\n")).toEqual(expect.arrayContaining(["request=1", "request=3"]));
  expect(outOf(notes, "network")).toContain("type=vhost-user");
  expect(noteOf(notes, "audit")).toMatchObject({ code: 0, err: "" });
  for (const name of ["second", "taken"]) expect(noteOf(notes, name).code).not.toBe(0);
  expect(noteOf(notes, "gone").code).not.toBe(0);
  expect(outOf(notes, "theirs")).toBe("theirs");
});

onTheNode(
  "no guest reaches such a socket by itself: neither another's, nor one that its host has for others",
  async () => {
    const notes = await onNode(`${BACKENDS}
    chmod 755 $here $here/peer
    # svirt runs no emulator from a place for guests.
    mkdir -p /usr/local/libexec; cp $here/peer /usr/local/libexec/peer
    setfattr -n security.selinux -v system_u:object_r:qemu_exec_t:s0 /usr/local/libexec/peer
    serve; speaks peer; $here/peer listen @svirt-peer $here/abstract.report &
    wait_for grep -q @svirt-peer /proc/net/unix
    chmod 777 $here/*.sock
    guest life-a "$blk" "$shared"
    note start svirt start life-a
    rm -f /var/log/svirt/life-b.log
    guest life-b "<emulator>/usr/local/libexec/peer</emulator>"
    # It ends by itself.
    svirt start life-b >/dev/null 2>&1 || :
    wait_gone life-b
    rm -f /usr/local/libexec/peer
    note tried cat /var/log/svirt/life-b.log
    svirt destroy life-a >/dev/null
    silence
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    const tried = outOf(notes, "tried")
      .split("\n")
      .filter((line) => line.includes("="));
    expect(Object.fromEntries(tried.map((line) => line.split("=")))).toEqual({
      "/srv/lifecycle/blk.sock": "EACCES",
      "/srv/lifecycle/peer.sock": "EACCES",
      "@svirt-peer": "EACCES",
      sockcreate: "EACCES",
    });
  },
  { denied: /comm="peer"/ },
);

onTheNode(
  "svirt itself connects only where disks may lie",
  async () => {
    const notes = await onNode(`${BACKENDS}
    try_at() {
      guest life-a "<serial type='unix'><source mode='connect' path='$2'/></serial>"
      note $1 svirt start life-a
    }
    ls /run/svirt >/dev/null
    $here/peer listen /run/elsewhere.sock $here/elsewhere.report &
    wait_for test -S /run/elsewhere.sock
    note before label_of /run/elsewhere.sock
    try_at run /run/elsewhere.sock
    note after label_of /run/elsewhere.sock
    speaks gone; silence
    try_at gone $here/gone.sock
    note left left life-a
    rm -f /run/elsewhere.sock
  `);
    expect(noteOf(notes, "run").code).not.toBe(0);
    expect(noteOf(notes, "run").err).toContain("/run/elsewhere.sock");
    expect(noteOf(notes, "run").err).toContain("remedy: ");
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(noteOf(notes, "gone").err).toContain("Connection refused");
    expect(outOf(notes, "left")).toBe("");
  },
  { denied: /\{ getattr \} .*path="\/run\/elsewhere.sock"/ },
);
