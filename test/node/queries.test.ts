import { describe, expect } from "bun:test";
import { fileURLToPath } from "node:url";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();
const NODE = fileURLToPath(new URL("../../scripts/node", import.meta.url));
const LEAVE = "\x1d";

/** Guest that answers each character with the next one. */
const GUEST = `
  clean
  copy answer a.img
  guest life-a "$(disk $here/a.img)<serial type='pty'/>$more"
  svirt start life-a >/dev/null
`;

/** Opens a terminal on this machine with a shell of the node. */
function startAtTerminal(script: string) {
  let text = "";
  const take = (bytes: Uint8Array): void => {
    text += new TextDecoder().decode(bytes);
  };
  const terminal = new Bun.Terminal({ cols: 90, rows: 30, data: (_terminal, bytes) => take(bytes) });
  const child = Bun.spawn([NODE, "ssh", "-t", script], { terminal });
  const until = async (part: string): Promise<string> => {
    while (!text.includes(part)) {
      if (child.exitCode !== null) throw new Error(`ended without ${JSON.stringify(part)}: ${text}`);
      await Bun.sleep(20);
    }
    return text;
  };
  /** Types a character until the guest answers: it may still boot, and input from before may be lost. */
  const untilAnswered = async (): Promise<void> => {
    while (!text.includes("z")) {
      terminal.write("y");
      await Bun.sleep(500);
    }
  };
  return { child, terminal, until, untilAnswered };
}

describe.each(["qemu", "kvm"])("console of a guest of type %s", (type) => {
  onTheNode(
    "over ssh -t: what is typed reaches the guest, what it says arrives, and it runs on",
    async () => {
      await onNode(`guest_type=${type}\n${GUEST}`);
      const user = startAtTerminal(
        "stty -a >/tmp/before; svirt console life-a; stty -a >/tmp/after; echo done",
      );
      const said = await user.until("Escape character is ^] (Ctrl + ])");
      expect(said).toContain("Connected to domain 'life-a'\r\n");
      await user.untilAnswered();
      // QEMU checks once a second for a client; Ctrl and C is an ordinary character.
      user.terminal.write("GDKKN\x03\x1f");
      await user.until("HELLO\x04 ");
      user.terminal.write(LEAVE);
      const all = await user.until("done");
      expect(all).not.toContain("GDKKN");
      expect(await user.child.exited).toBe(0);
      const notes = await onNode(`
      note differ cmp /tmp/before /tmp/after
      note state svirt domstate life-a
      note again talk svirt console life-a
      note tty svirt ttyconsole life-a
      note label label_of "$(svirt ttyconsole life-a | head -1)"
      svirt destroy life-a >/dev/null
      note left left life-a
    `);
      expect(outOf(notes, "differ")).toBe("");
      expect(outOf(notes, "state")).toBe("running");
      expect(outOf(notes, "again")).toContain("IBM");
      expect(outOf(notes, "tty")).toMatch(/^\/dev\/pts\/\d+$/);
      expect(outOf(notes, "label")).toMatch(/:svirt_devpts_t:s0:c\d+,c\d+$/);
      expect(noteOf(notes, "left").out).toBe("");
    },
  );
});

onTheNode("one at a time: the second is refused, --force ends the first", async () => {
  const notes = await onNode(`
    more="<channel type='unix'><target type='virtio' name='org.example.0'/></channel>"
    ${GUEST}
    mkfifo $here/input
    sleep 600 >$here/input &
    sleeper=$!
    svirt console life-a <$here/input >$here/first 2>$here/first.err &
    first=$!
    # A guest that has not booted may lose what is typed.
    connected() { printf HAL >$here/input; sleep 0.4; grep -q IBM $here/first; }
    wait_for connected
    note second svirt console life-a
    note other sh -c 'svirt console life-a --devname channel0 </dev/null'
    note forced talk svirt console life-a --force
    code=0; wait $first || code=$?
    note first sh -c "cat $here/first.err; exit $code"
    kill $sleeper
    svirt destroy life-a >/dev/null
    note off svirt console life-a
  `);
  expect(noteOf(notes, "second").code).toBe(4);
  expect(noteOf(notes, "second").err).toContain("Active console session exists for this domain (process ");
  expect(outOf(notes, "other")).toContain("Connected to domain 'life-a'");
  expect(outOf(notes, "forced")).toContain("IBM");
  expect(noteOf(notes, "first").code).toBe(1);
  expect(noteOf(notes, "first").out).toContain(
    "Disconnected from the guest's console: another process has taken it",
  );
  expect(noteOf(notes, "off").code).toBe(4);
});

onTheNode("domstats, vcpuinfo and vcpucount tell of a real QEMU; setvcpus gives it one more", async () => {
  const notes = await onNode(`
    clean
    copy halt a.img
    xml life-a "$(disk $here/a.img)<memballoon model='virtio'><stats period='1'/></memballoon>" \\
      "<vcpu current='1'>3</vcpu><iothreads>1</iothreads>" >$here/a.xml
    svirt define $here/a.xml >/dev/null
    svirt start life-a >/dev/null
    booted() { svirt domblkstat life-a vda | grep -q 'rd_req [1-9]'; }
    wait_for booted
    note all svirt domstats life-a
    note memory svirt dommemstat life-a
    note info svirt vcpuinfo life-a
    note more svirt setvcpus life-a 2
    note two svirt vcpuinfo life-a --pretty
    note count svirt vcpucount life-a
    note less svirt setvcpus life-a 1
    note settled svirt list
    note many svirt setvcpus life-a 4
    guest_type=kvm xml life-b >$here/b.xml
    svirt create $here/b.xml >/dev/null
    note kvm svirt domstats life-b --vcpu --cpu-total --vm
    note keys svirt send-key life-a KEY_LEFTCTRL KEY_LEFTALT KEY_DELETE --holdtime 50
    note setmem svirt setmem life-a 8M
    svirt destroy life-b >/dev/null
    svirt destroy life-a >/dev/null
    note left left life-a
  `);
  const all = outOf(notes, "all").split("\n");
  for (const line of [
    "Domain: 'life-a'",
    "  state.state=1",
    "  state.reason=1",
    "  balloon.current=16384",
    "  balloon.maximum=16384",
    "  vcpu.current=1",
    "  vcpu.maximum=3",
    "  vcpu.0.state=1",
    "  net.count=0",
    "  block.count=1",
    "  block.0.name=vda",
    "  block.0.path=/srv/lifecycle/a.img",
    "  block.0.capacity=1048576",
    "  block.0.physical=1048576",
    "  iothread.count=1",
    "  dirtyrate.calc_status=0",
  ])
    expect(all).toContain(line);
  const value = (key: string) => Number(all.find((line) => line.startsWith(`  ${key}=`))?.split("=")[1]);
  // QEMU has run, and its BIOS has read the boot sector.
  for (const key of ["cpu.time", "vcpu.0.time", "balloon.rss", "block.0.rd.reqs", "block.0.rd.bytes"])
    expect([key, value(key) > 0]).toEqual([key, true]);
  expect(outOf(notes, "memory")).toMatch(/^actual 16384\n(?:last_update \d+\n)?rss \d+$/);
  expect(outOf(notes, "info")).toMatch(
    /^VCPU: {11}0\nCPU: {12}[01]\nState: {10}running\nCPU time: {7}\d+\.\ds\nCPU Affinity: {3}yy$/,
  );
  expect(outOf(notes, "more")).toBe("");
  expect(outOf(notes, "two")).toMatch(/VCPU: {11}1\n[\s\S]*CPU Affinity: {3}0-1 \(out of 2\)$/);
  expect(outOf(notes, "count").split("\n")).toEqual([
    "maximum      config         3",
    "maximum      live           3",
    "current      config         1",
    "current      live           2",
  ]);
  // The guest has no system that could release the vCPU, and QEMU reports that.
  expect([noteOf(notes, "less").code, noteOf(notes, "less").err]).toEqual([
    1,
    expect.stringContaining(
      "remedy: Change its definition (--config): the guest's system does not support that",
    ),
  ]);
  expect(noteOf(notes, "settled").err).toBe("");
  expect(noteOf(notes, "many").code).toBe(2);
  expect(outOf(notes, "kvm")).toMatch(/^ {2}vcpu\.0\.exits\.sum=\d+$/m);
  expect(outOf(notes, "kvm")).toMatch(/^ {2}cpu\.haltpoll\.success\.time=\d+$/m);
  expect(outOf(notes, "kvm")).toMatch(/^ {2}vm\.\w+\.(?:sum|cur|max)=\d+$/m);
  expect(noteOf(notes, "keys").code).toBe(0);
  expect(noteOf(notes, "setmem").code).toBe(0);
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode(
  "the host's processors, memory and firmware; what QEMU can do is asked in a guest's domain",
  async () => {
    const notes = await onNode(`
    note info svirt nodeinfo
    note map svirt nodecpumap
    note memory svirt nodememstats
    note times svirt nodecpustats
    note cell svirt freecell --all
    note sysinfo svirt sysinfo
    note hostname svirt hostname
    rm -rf /var/lib/svirt/emulators
    note kvm svirt domcapabilities
    note qemu svirt domcapabilities --virttype qemu --machine q35
    note kept ls /var/lib/svirt/emulators
    note label label_of /var/lib/svirt/emulators/kvm*
    note again svirt domcapabilities
    note version svirt version
    note rest sh -c 'ls -A /var/log/svirt | grep put; true'
    note nobody svirt domcapabilities --emulatorbin /bin/true
  `);
    expect(outOf(notes, "info")).toMatch(/^CPU model: {11}x86_64\nCPU\(s\): {14}2\n/);
    expect(outOf(notes, "info")).toMatch(/^Memory size: {9}\d+ KiB$/m);
    expect(outOf(notes, "map")).toBe("CPUs present:   2\nCPUs online:    2\nCPU map:        yy");
    expect(outOf(notes, "memory")).toMatch(
      /^total {2}: +\d+ KiB\nfree {3}: +\d+ KiB\nbuffers: +\d+ KiB\ncached : +\d+ KiB$/,
    );
    expect(outOf(notes, "times")).toMatch(/^user: +\d+\nsystem: +\d+\nidle: +\d+\niowait: +\d+$/);
    expect(outOf(notes, "cell")).toMatch(/^ {4}0: +\d+ KiB\n-{20}\nTotal: +\d+ KiB$/);
    // The node is a QEMU machine. qemu.git hw/i386/pc_piix.c, hw/smbios/smbios.c
    expect(outOf(notes, "sysinfo")).toContain("<entry name='manufacturer'>QEMU</entry>");
    expect(outOf(notes, "hostname").length).toBeGreaterThan(0);
    expect(outOf(notes, "kvm")).toContain("<domain>kvm</domain>");
    expect(outOf(notes, "kvm")).toContain("<mode name='host-passthrough' supported='yes'>");
    expect(outOf(notes, "qemu")).toMatch(/<machine>pc-q35-10\.0<\/machine>/);
    expect(outOf(notes, "kept")).toMatch(/^kvm.*\.json\nqemu.*\.json$/);
    expect(outOf(notes, "label")).toBe("system_u:object_r:svirt_var_lib_t:s0");
    expect(outOf(notes, "again")).toBe(outOf(notes, "kvm"));
    expect(outOf(notes, "version")).toMatch(/^QEMU 10\./m);
    expect(outOf(notes, "rest")).toBe("");
    // The policy runs only QEMU there.
    expect([noteOf(notes, "nobody").code, noteOf(notes, "nobody").err]).toEqual([
      1,
      expect.stringContaining("it does not start as a guest"),
    ]);
  },
  { denied: /\{ entrypoint \} .*path="\/usr\/bin\/busybox"/ },
);

onTheNode("edit runs the editor, checks what it becomes and stores it", async () => {
  const notes = await onNode(`
    clean
    copy halt a.img
    guest life-a "$(disk $here/a.img)"
    note edited env EDITOR='sed -i s/16384/32768/' svirt edit life-a
    note xml svirt dumpxml life-a
    note same env EDITOR=true svirt edit life-a
    note refused env EDITOR='sed -i s/acpi/acpie/' svirt edit life-a
    note kept sh -c 'cat /run/svirt/edit/*.xml; rm -f /run/svirt/edit/*.xml'
    note after svirt dumpxml life-a
    note shell env EDITOR='touch /tmp/x;true' svirt edit life-a
    svirt undefine life-a
  `);
  expect(outOf(notes, "edited")).toBe("Domain 'life-a' XML configuration edited.");
  expect(outOf(notes, "xml")).toContain("<memory unit='KiB'>32768</memory>");
  expect(outOf(notes, "same")).toBe("Domain 'life-a' XML not changed");
  expect(noteOf(notes, "refused").code).toBe(2);
  expect(outOf(notes, "kept")).toContain("<acpie/>");
  expect(outOf(notes, "after")).toBe(outOf(notes, "xml"));
  expect(noteOf(notes, "shell").code).toBe(2);
});
