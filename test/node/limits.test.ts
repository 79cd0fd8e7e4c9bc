import { expect } from "bun:test";
import { uuidOf } from "./harness/names.ts";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

const GROUP = `/sys/fs/cgroup/svirt/${uuidOf("life-a")}`;
const SCENE = `
  clean
  copy halt a.img
  group=${GROUP}
  values() { for file; do printf '%s: ' "$file"; tr '\\n' ';' <"$group/$file"; echo; done; }
  # threads FILE...: the groups of QEMU's threads, where they may run, and by what policy they are scheduled, each once.
  threads() {
    for task in /proc/$(pid_of life-a)/task/*; do
      facts="$(sed 's#^0::.*/##' "$task/cgroup") $(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "$task/status")"
      facts="$facts $(sed 's/.*) //' "$task/stat" | cut -d ' ' -f 39)"
      # QEMU's workers end when they are idle.
      [ ! -d "$task" ] || echo "$facts"
    done 2>/dev/null | sort | uniq
  }
`;

onTheNode(
  "a guest without limits is in a group of its own that bounds its threads, has a bound of descriptors, and is gone with both",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    guest life-a "$(disk $here/a.img)"
    note start svirt start life-a
    note group cat /proc/$(pid_of life-a)/cgroup
    note reaper cat /proc/$(reaper_of life-a)/cgroup
    note values values pids.max cgroup.type
    note owner stat -c '%u %a' $group $group/cgroup.procs
    note descriptors awk '/^Max open files/ { print $4, $5 }' /proc/$(pid_of life-a)/limits
    note trace left life-a
    svirt destroy life-a >/dev/null
    note gone ls -d $group
  `);
    expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
    expect(outOf(notes, "group")).toBe(`0::/svirt/${uuidOf("life-a")}`);
    expect(outOf(notes, "reaper")).not.toContain("svirt/");
    expect(outOf(notes, "values")).toBe("pids.max: 577;\ncgroup.type: domain;");
    // 4096, and 64 for the one vCPU.
    expect(outOf(notes, "descriptors")).toBe("4160 4160");
    expect(outOf(notes, "owner")).toBe("0 755\n0 644");
    expect(noteOf(notes, "gone").code).not.toBe(0);
  },
);

onTheNode("limits, pins and schedulers are as the kernel shows them", async () => {
  const notes = await onNode(`
    ${SCENE}
    modprobe -q bfq
    disk=$(readlink -f /dev/vdc)
    guest life-a "$(disk $here/a.img)" "<vcpu cpuset='0-1'>2</vcpu><iothreads>1</iothreads>
      <memtune><hard_limit unit='MiB'>700</hard_limit><soft_limit unit='MiB'>600</soft_limit></memtune>
      <blkiotune><device><path>$disk</path><read_iops_sec>500</read_iops_sec></device></blkiotune>
      <cputune><shares>200</shares><quota>50000</quota><global_quota>90000</global_quota>
      <iothread_quota>20000</iothread_quota><emulator_period>50000</emulator_period>
      <emulatorpin cpuset='0'/><vcpupin vcpu='1' cpuset='1'/>
      <emulatorsched scheduler='batch'/><vcpusched vcpus='0' scheduler='idle'/></cputune>
      <numatune><memory mode='strict' nodeset='0'/></numatune>"
    note plan svirt plan life-a
    note start svirt start life-a
    note values values memory.max memory.high io.max cpu.weight cpu.max cpuset.mems cgroup.type
    note below values vcpu0/cpu.max vcpu1/cpu.max iothread1/cpu.max emulator/cpu.max
    note number sh -c "cat /sys/class/block/$(basename $disk)/dev"
    note threads threads
    note state svirt domstate life-a
    kill -9 $(pid_of life-a)
    svirt list >/dev/null
    # Its reaper may still clean up.
    wait_gone life-a
    note gone ls -d $group
    note trace left life-a
  `);
  expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
  expect(outOf(notes, "plan")).toContain(`create control group ${GROUP} (`);
  expect(outOf(notes, "values").split("\n")).toEqual([
    "memory.max: 734003200;",
    "memory.high: 629145600;",
    `io.max: ${outOf(notes, "number")} rbps=max wbps=max riops=500 wiops=max;`,
    "cpu.weight: 200;",
    "cpu.max: 90000 100000;",
    "cpuset.mems: 0;",
    "cgroup.type: domain threaded;",
  ]);
  expect(outOf(notes, "below").split("\n")).toEqual([
    "vcpu0/cpu.max: 50000 100000;",
    "vcpu1/cpu.max: 50000 100000;",
    "iothread1/cpu.max: 20000 100000;",
    "emulator/cpu.max: max 50000;",
  ]);
  // linux/sched.h: 3 is SCHED_BATCH, 5 SCHED_IDLE.
  expect(
    outOf(notes, "threads")
      .split("\n")
      .map((line) => line.trim()),
  ).toEqual(["emulator 0 3", "iothread1 0-1 0", "vcpu0 0-1 5", "vcpu1 1 0"]);
  expect(outOf(notes, "state")).toBe("running");
  expect(noteOf(notes, "gone").code).not.toBe(0);
  expect(noteOf(notes, "trace").out).toBe("");
});

onTheNode("a svirt that is killed in a start leaves no group", async () => {
  const notes = await onNode(`
    ${SCENE}
    guest life-a "$(disk $here/a.img)" "<vcpu>1</vcpu><cputune><quota>50000</quota></cputune>"
    for act in 'create control group' 'start ' 'run vcpu'; do
      step=$(svirt plan life-a | grep " $act" | awk '{print $1}' | head -n 1)
      svirt start life-a --crash-drill after:$step >/dev/null 2>&1 || :
      ls -d $group >>$work/during
      svirt list >/dev/null
      ls -d $group >>$work/after 2>/dev/null || :
    done
    note during cat $work/during
    note after cat $work/after
    note trace left life-a
  `);
  expect(outOf(notes, "during").split("\n")).toEqual([GROUP, GROUP, GROUP]);
  expect(noteOf(notes, "after").out.trim()).toBe("");
  expect(noteOf(notes, "trace").out).toBe("");
});

onTheNode("a partition is one that is there", async () => {
  const notes = await onNode(`
    ${SCENE}
    guest life-a "$(disk $here/a.img)" "<resource><partition>/production</partition></resource>"
    note missing svirt start life-a
    mkdir /sys/fs/cgroup/production
    note start svirt start life-a
    note group cat /proc/$(pid_of life-a)/cgroup
    svirt destroy life-a >/dev/null
    note left ls /sys/fs/cgroup/production/${uuidOf("life-a")}
    rmdir /sys/fs/cgroup/production
  `);
  expect([noteOf(notes, "missing").code, noteOf(notes, "missing").err]).toEqual([
    3,
    expect.stringContaining("Cannot put the guest into the partition /production: it does not exist"),
  ]);
  expect(noteOf(notes, "start").err).toBe("");
  expect(outOf(notes, "group")).toBe(`0::/production/${uuidOf("life-a")}`);
  expect(noteOf(notes, "left").code).not.toBe(0);
});

onTheNode("limits and pins of a running guest change, and the kernel shows them", async () => {
  const notes = await onNode(`
    ${SCENE}
    guest life-a "$(disk $here/a.img)" "<vcpu>2</vcpu>"
    svirt start life-a >/dev/null
    note before svirt memtune life-a
    note memory svirt memtune life-a --hard-limit 800MiB --soft-limit 700MiB --live --config
    note shares svirt schedinfo life-a --set cpu_shares=300 global_quota=80000
    note disks svirt blkiotune life-a --device-write-bytes-sec $(readlink -f /dev/vdc),1048576
    note pin svirt vcpupin life-a 1 0
    note emulator svirt emulatorpin life-a 1
    note values values memory.max memory.high cpu.weight cpu.max
    note io sh -c "grep -c wbps=1048576 $group/io.max"
    note threads threads
    note shown svirt vcpupin life-a
    note after svirt memtune life-a
    note defined svirt dumpxml life-a --inactive
    note killed svirt schedinfo life-a --set cpu_shares=400 --crash-drill after:1
    note swept svirt schedinfo life-a
    svirt destroy life-a >/dev/null
    note trace left life-a
  `);
  for (const name of ["memory", "shares", "disks", "pin", "emulator"])
    expect([name, noteOf(notes, name).code, noteOf(notes, name).err]).toEqual([name, 0, ""]);
  expect(outOf(notes, "before")).toContain("hard_limit     : unlimited");
  expect(outOf(notes, "values").split("\n")).toEqual([
    "memory.max: 838860800;",
    "memory.high: 734003200;",
    "cpu.weight: 300;",
    "cpu.max: 80000 100000;",
  ]);
  expect(outOf(notes, "io")).toBe("1");
  const threads = outOf(notes, "threads")
    .split("\n")
    .map((line) => line.trim().split(" ")[1]);
  // One vCPU on any processor, the other on 0, all other threads on 1.
  expect(threads.toSorted()).toEqual(["0", "0-1", "1"]);
  expect(outOf(notes, "shown")).toContain("1      0");
  expect(outOf(notes, "after")).toContain("hard_limit     : 819200");
  expect(outOf(notes, "defined")).toContain("<hard_limit unit='KiB'>819200</hard_limit>");
  expect(outOf(notes, "defined")).not.toContain("<shares>");
  expect(noteOf(notes, "killed").code).toBe(137);
  expect(outOf(notes, "swept")).toContain("cpu_shares     : 300");
  expect(noteOf(notes, "trace").out).toBe("");
});
