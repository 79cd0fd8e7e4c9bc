import { beforeAll, describe, expect } from "bun:test";
import { fileURLToPath } from "node:url";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";
import { isNodeUp } from "./isolation/on-the-node.ts";

const BUILD = fileURLToPath(new URL("hostile-emulator/build", import.meta.url));
const onTheNode = await onANode();

beforeAll(async () => {
  if (!(await isNodeUp())) return;
  const built = Bun.spawnSync([BUILD], { stderr: "inherit" });
  if (!built.success) throw new Error("Cannot build the hostile emulator");
  await node(["put", built.stdout.toString().trim(), "/srv/lifecycle"]);
});

/** Output of `svirt explain --json`, as far as these tests read it. */
interface Told {
  readonly guest?: { readonly name: string };
  readonly subject: string;
  readonly source: string;
  readonly reason: string;
  readonly remedy: string;
}

/** As root's choice: installed, with a label that svirt's domain may run as a guest. */
const INSTALLED = "/usr/local/libexec/hostile-emulator";
const INSTALL = `
  trap 'echo 1 >/sys/fs/selinux/enforce; rm -rf "$work" ${INSTALLED} /var/log/svirt/probed /tmp/svirt-hostile.made' EXIT
  mkdir -p /usr/local/libexec; cp $here/hostile-emulator ${INSTALLED}; chmod 755 ${INSTALLED}
  setfattr -n security.selinux -v system_u:object_r:qemu_exec_t:s0 ${INSTALLED}
`;

onTheNode("a key without a shell runs no program of its own by four commands", async () => {
  const notes = await onNode(`
    as_key() { SSH_ORIGINAL_COMMAND="svirt $*" svirt shell; }
    mkdir -p $here/programs
    note pool as_key pool-create - <<POOL
<pool type='dir'><name>life-programs</name><target><path>$here/programs</path></target></pool>
POOL
    note volume as_key vol-create life-programs - <<VOLUME
<volume><name>emulator</name><capacity>1048576</capacity><target><format type='raw'/><permissions><mode>0755</mode></permissions></target></volume>
VOLUME
    note upload as_key vol-upload emulator - --pool life-programs <$here/hostile-emulator
    for mode in 1 0; do
      echo $mode >/sys/fs/selinux/enforce
      note probe-$mode as_key domcapabilities --emulatorbin $here/programs/emulator
      note read-$mode sh -c "SSH_ORIGINAL_COMMAND='svirt domcapabilities --emulatorbin $here/programs/emulator' svirt shell --read-only"
      xml life-a "<emulator>$here/programs/emulator</emulator>" >$work/a.xml
      note start-$mode as_key create - <$work/a.xml
    done
    echo 1 >/sys/fs/selinux/enforce
    note left ls /run/svirt
    as_key pool-destroy life-programs >/dev/null
    rm -rf $here/programs
  `);
  for (const name of ["pool", "volume", "upload"])
    expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
  for (const mode of [1, 0]) {
    for (const name of [`probe-${mode}`, `start-${mode}`]) {
      expect(noteOf(notes, name)).toMatchObject({ code: 5, out: "" });
      expect(noteOf(notes, name).err).toContain("is for guests' files, so it is not a program of the host");
    }
    expect(noteOf(notes, `read-${mode}`).err).toContain("this key is read-only");
  }
});

describe.each([
  ["enforcing", 1],
  ["permissive", 0],
])("a hostile emulator that root has installed, with SELinux %s", (_, enforce) => {
  onTheNode(
    "gets nothing of the host, and svirt gets no answer",
    async () => {
      const notes = await onNode(`${INSTALL}
        begun=$(date -u +%Y-%m-%dT%H:%M:%SZ)
        echo ${enforce} >/sys/fs/selinux/enforce
        note kept svirt domcapabilities --emulatorbin ${INSTALLED} --virttype qemu
        # The same order as svirt gives, from a shell in svirt's domain, with the output in a file that this test can read.
        cp /usr/bin/busybox $here/busybox
        setfattr -n security.selinux -v system_u:object_r:svirt_manager_exec_t:s0 $here/busybox
        order() {
          printf '{"words":["%s"],"environment":["LC_ALL=C"],"uid":1946157056,"context":"system_u:system_r:svirt_t:s0","parent":%s,"firstClosed":3,"mostBytes":65536,"cpuSeconds":60}' ${INSTALLED} $1
        }
        note ran $here/busybox sh -c '/usr/bin/svirt "#probe" "$(printf "$1" $$)" >>/var/log/svirt/probed 2>/dev/null </dev/null; exit $?' sh "$(order %s)"
        # Descriptors of another domain than svirt's, which SELinux denies it.
        sh -c 'svirt "#probe" "$(printf "$1" $$)" >/dev/null 2>&1 </dev/null; exit $?' sh "$(order %s)"
        note probed cat /var/log/svirt/probed
        note made ls /tmp/svirt-hostile.made
        note mode cat /sys/fs/selinux/enforce
        echo 1 >/sys/fs/selinux/enforce
        note told svirt explain --since $begun --json
        note processes sh -c "grep -l '^Uid:.1946157056' /proc/[0-9]*/status; true"
        note rest sh -c 'ls -A /var/log/svirt | grep put; true'
      `);
      expect(outOf(notes, "mode")).toBe(String(enforce));
      expect(noteOf(notes, "kept")).toMatchObject({ code: 1, out: "" });
      const lines = outOf(notes, "probed").split("\n");
      expect(noteOf(notes, "ran").code).toBe(0);
      expect(lines).toEqual(
        expect.arrayContaining([
          "Uid:\t1946157056\t1946157056\t1946157056\t1946157056",
          ...["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"].map((set) => `${set}:\t0000000000000000`),
          "NoNewPrivs:\t1",
          "Seccomp:\t2",
          "descriptors 0",
          "shadow=refused",
          "fork=refused",
        ]),
      );
      expect(lines.filter((line) => line.endsWith("=GOT"))).toEqual([]);
      const told: readonly Told[] = JSON.parse(outOf(notes, "told"));
      const ofProbe = told.filter(
        ({ source }) => source.includes(":svirt_t:") || source.includes(":svirt_tcg_t:"),
      );
      expect(ofProbe.length).toBeGreaterThan(0);
      for (const { guest, reason, remedy, subject } of ofProbe) {
        expect([guest, subject]).toEqual([undefined, "probe"]);
        expect(reason).toContain("svirt's own probe caused it");
        expect(remedy).not.toContain("Inspect the programs in");
      }
      expect(noteOf(notes, "made").code).not.toBe(0);
      expect([outOf(notes, "processes"), outOf(notes, "rest")]).toEqual(["", ""]);
    },
    { denied: /comm="hostile-emulat/ },
  );
});

onTheNode(
  "QEMU describes itself as before, with SELinux enforcing and permissive, and the answers are kept",
  async () => {
    const notes = await onNode(`
    trap 'echo 1 >/sys/fs/selinux/enforce; rm -rf "$work"' EXIT
    for mode in 1 0; do
      echo $mode >/sys/fs/selinux/enforce
      rm -rf /var/lib/svirt/emulators
      note kvm-$mode svirt domcapabilities --virttype kvm
      note tcg-$mode svirt domcapabilities --virttype qemu
      note kept-$mode ls /var/lib/svirt/emulators
      note version-$mode svirt version
    done
    echo 1 >/sys/fs/selinux/enforce
  `);
    for (const mode of [1, 0]) {
      for (const type of ["kvm", "tcg"])
        expect(noteOf(notes, `${type}-${mode}`)).toMatchObject({ code: 0, err: "" });
      expect(outOf(notes, `kvm-${mode}`)).toContain("<mode name='host-passthrough' supported='yes'>");
      expect(outOf(notes, `kept-${mode}`)).toMatch(/^kvm.*\.json\nqemu.*\.json$/);
      expect(outOf(notes, `version-${mode}`)).toMatch(/^QEMU 10\./m);
    }
    expect(outOf(notes, "kvm-1")).toBe(outOf(notes, "kvm-0"));
  },
);

onTheNode("commands at a terminal leave no denial of svirt's own probes", async () => {
  const notes = await onNode(`
    guest_type=kvm xml life-a >$work/kvm.xml; xml life-b >$work/qemu.xml
    before=$(label_of /dev/tty9)
    trap 'setfattr -n security.selinux -v "$before" /dev/tty9; rm -rf "$work"' EXIT
    setfattr -n security.selinux -v system_u:object_r:user_tty_device_t:s0 /dev/tty9
    cat >$work/session <<'SESSION'
      # As the shell of a login, whose controlling terminal is the device of that name.
      exec 9<>/dev/tty
      for life in "kvm life-a" "qemu life-b"; do
        rm -rf /var/lib/svirt/emulators
        name=\${life#* }
        svirt define "$1/\${life% *}.xml" && svirt plan $name && svirt start $name && svirt list && svirt destroy $name
        svirt undefine $name
      done
      svirt version
SESSION
    note session setsid -c sh -c 'sh "$0/session" "$0" >"$0/said" 2>&1 </dev/tty9' $work </dev/tty9
    note said cat $work/said
  `);
  expect(noteOf(notes, "session")).toMatchObject({ code: 0 });
  for (const word of ["'life-a' started", "'life-b' started", "QEMU 10."])
    expect(outOf(notes, "said")).toContain(word);
  expect(outOf(notes, "said")).not.toContain("error:");
});
