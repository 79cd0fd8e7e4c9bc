import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/**
 * A network with all parts that svirt makes, and functions that show what there is of them and of the record.
 */
const SCENE = `
  printf '%s' "<network><name>life-kill</name><uuid>81ff0d90-c91e-6742-64da-4a736edb9acb</uuid><forward mode='nat'/><bridge name='virbr78'/>\\
<bandwidth><outbound average='1000'/></bandwidth><ip address='192.168.178.1' prefix='24'><dhcp><range start='192.168.178.2' end='192.168.178.9'/></dhcp></ip></network>" >$work/net.xml
  svirt net-define $work/net.xml >/dev/null
  parts() {
    ls -d /sys/class/net/virbr78 /run/svirt/networks/life-kill.xml /run/svirt-networks/81ff0d90* 2>/dev/null
    nft list tables | grep 81ff0d90
    for pid in $(pidof dnsmasq); do ! grep -aq 81ff0d90 /proc/$pid/cmdline 2>/dev/null || echo dnsmasq; done
    ls /etc/svirt/changes /run/svirt/changes 2>/dev/null | grep network
    true
  }
  # killed COMMAND STEPS: kills it before and after each of its steps, and prints a line for each: exit code, number of parts, whether the
  # audit names the command, and the number of parts that are left after a recovery.
  killed() {
    for step in $(seq 1 $2); do
      for moment in before after; do
        prepare
        svirt $1 life-kill --crash-drill $moment:$step >/dev/null 2>&1
        code=$?
        during=$(parts | wc -l)
        named=$(svirt audit 2>&1 | grep -c "$1 life-kill: was interrupted")
        svirt recover >/dev/null 2>$work/recover
        echo "$moment $step: $code $named $(parts | wc -l) $(wc -c <$work/recover) $(svirt audit | grep -c 'No findings')"
        test $during -ge 1 || echo "nothing was there"
      done
    done
  }
`;

onTheNode(
  "net-start and net-destroy that are killed at a step are named by the audit, and undone or finished",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    note plan svirt plan net-start life-kill
    steps=$(svirt plan net-start life-kill | grep -c '^ *[0-9]')
    prepare() { svirt net-destroy life-kill >/dev/null 2>&1; }
    note start killed net-start $steps
    prepare() { svirt net-start life-kill >/dev/null 2>&1; }
    prepare
    note whole parts
    note ends svirt plan net-destroy life-kill
    steps=$(svirt plan net-destroy life-kill | grep -c '^ *[0-9]')
    note end killed net-destroy $steps
    svirt net-destroy life-kill >/dev/null 2>&1
    note gone parts
    note mode getenforce
    svirt net-undefine life-kill >/dev/null
  `);
    expect(outOf(notes, "plan")).toMatch(/create the bridge virbr78.*start the DHCP and DNS server/s);
    const lines = (name: string): readonly string[] => outOf(notes, name).split("\n");
    const whole = lines("whole").length;
    expect(whole).toBeGreaterThan(5);
    const start = lines("start");
    const last = start.at(-1);
    // Behind its last step the network is active; before it, nothing is left.
    for (const line of start.slice(0, -1)) expect(line).toMatch(/^\w+ \d+: 137 1 0 0 1$/);
    expect(last).toMatch(new RegExp(`^after \\d+: 137 1 ${whole} 0 1$`));
    const [first, ...rest] = lines("end");
    expect(first).toMatch(new RegExp(`^before 1: 137 1 ${whole} 0 1$`));
    for (const line of rest) expect(line).toMatch(/^\w+ \d+: 137 1 0 0 1$/);
    expect(noteOf(notes, "gone").out.trim()).toBe("");
  },
  // Some 30 kills with six calls each, on a busy machine.
  { timeoutMs: 900_000 },
);
