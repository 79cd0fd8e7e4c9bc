import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const UNTOLD = 2 ** 64;
const CPU = "/machine/unattached/device[0]";
const stats = {
  rd_operations: 11,
  rd_bytes: 512,
  rd_total_time_ns: 7,
  wr_operations: 12,
  wr_bytes: 1024,
  wr_total_time_ns: 8,
  flush_operations: 13,
  flush_total_time_ns: 9,
  wr_highest_offset: 0,
};
const parent = { stats: { wr_highest_offset: 196_608 } };

/** Answers of QEMU 10.0. qemu.git qapi/ */
const ANSWERS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["query-cpus-fast", [{ "cpu-index": 0, "thread-id": 777, "qom-path": CPU, target: "x86_64", props: {} }]],
  ["query-balloon", { actual: 65_011_712 }],
  [
    "qom-get",
    {
      stats: { "stat-swap-in": UNTOLD, "stat-free-memory": 4096, "stat-major-faults": 3 },
      "last-update": 17,
    },
  ],
  ["query-iothreads", [{ id: "iothread1", "poll-max-ns": 32_768, "poll-grow": 0, "poll-shrink": 0 }]],
  ["query-blockstats", [{ qdev: "/machine/peripheral/virtio-disk0/virtio-backend", stats, parent }]],
  [
    "query-named-block-nodes",
    [
      { "node-name": "libvirt-1-format", write_threshold: 0, image: { "virtual-size": 1_048_576 } },
      { "node-name": "libvirt-1-storage", write_threshold: 0, image: { "virtual-size": 200_704 } },
    ],
  ],
  ["query-dirty-rate", { status: "unstarted", "start-time": 0, "calc-time": 0, mode: "page-sampling" }],
  [
    "query-stats-schemas",
    [
      {
        provider: "kvm",
        target: "vcpu",
        stats: [
          { name: "exits", type: "cumulative" },
          { name: "guest_mode", type: "instant", unit: "boolean" },
          { name: "halt_poll_success_ns", type: "cumulative" },
          { name: "halt_wait_hist", type: "log2-histogram" },
        ],
      },
    ],
  ],
  [
    "query-stats",
    [
      {
        provider: "kvm",
        "qom-path": CPU,
        stats: [
          { name: "exits", value: 99 },
          { name: "guest_mode", value: false },
          { name: "halt_poll_success_ns", value: 5 },
          { name: "halt_wait_hist", value: [1, 2] },
        ],
      },
    ],
  ],
]);

/** Returns a machine with a running guest whose QEMU is in /proc, and one that is shut off. */
async function machineWithTwo(): Promise<Machine> {
  const machine = makeMachine();
  machine.qemu = { answers: ANSWERS };
  const disks = diskXml("/var/lib/images/top.qcow2", "vda");
  machine.files.put("/vm1.xml", "file", { bytes: domainXml({ disks }) });
  const uuid = "11111111-2222-4333-8444-000000000002";
  machine.files.put("/vm2.xml", "file", { bytes: domainXml({ name: "vm2", uuid, disks }) });
  await runOn(machine, "create", "/vm1.xml");
  await runOn(machine, "define", "/vm2.xml");
  const pid = machine.liveGuests()[0]?.pid ?? 0;
  const put = (path: string, text: string): void => {
    machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
    machine.files.put(path, "file", { bytes: new TextEncoder().encode(text) });
  };
  // proc_pid_stat(5): field 14 is user time, 15 system time, 39 the processor. The name may contain any text.
  const fields = "S 1 1 1 0 -1 64 0 0 0 0 40 2 0 0 20 0 3 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 6 0 0";
  put(`/proc/${pid}/stat`, `${pid} (qemu (x) y) ${fields}\n`);
  put(`/proc/${pid}/task/777/stat`, `777 (CPU 0/KVM) ${fields.replace(" 40 2 ", " 30 1 ")}\n`);
  put(`/proc/${pid}/task/777/schedstat`, "1000 2000 3\n");
  put(
    `/proc/${pid}/task/777/sched`,
    "se.exec_start : 1.5\nwait_sum                     :            2.500001\n",
  );
  put(`/proc/${pid}/status`, "VmRSS:\t    5120 kB\n");
  return machine;
}

describe("svirt domstats", () => {
  // The keys and their units are those of libvirt's virConnectGetAllDomainStats().
  test("tells all of a running guest by libvirt's keys, in virsh's layout", async () => {
    const { code, err, out } = await runOn(await machineWithTwo(), "domstats", "vm1");
    expect([code, err]).toEqual([0, ""]);
    expect(out.split("\n")).toEqual([
      "Domain: 'vm1'",
      "  state.state=1",
      "  state.reason=1",
      "  cpu.time=420000000",
      "  cpu.user=400000000",
      "  cpu.system=20000000",
      "  cpu.haltpoll.success.time=5",
      "  balloon.current=63488",
      "  balloon.maximum=65536",
      "  balloon.major_fault=3",
      "  balloon.unused=4",
      "  balloon.last-update=17",
      "  balloon.rss=5120",
      "  vcpu.current=1",
      "  vcpu.maximum=1",
      "  vcpu.0.state=1",
      "  vcpu.0.time=310000000",
      "  vcpu.0.wait=2500001",
      "  vcpu.0.delay=2000",
      "  vcpu.0.exits.sum=99",
      "  vcpu.0.guest_mode.cur=no",
      "  vcpu.0.halt_poll_success_ns.sum=5",
      "  net.count=0",
      "  block.count=1",
      "  block.0.name=vda",
      "  block.0.backingIndex=1",
      "  block.0.path=/var/lib/images/top.qcow2",
      "  block.0.rd.reqs=11",
      "  block.0.rd.bytes=512",
      "  block.0.rd.times=7",
      "  block.0.wr.reqs=12",
      "  block.0.wr.bytes=1024",
      "  block.0.wr.times=8",
      "  block.0.fl.reqs=13",
      "  block.0.fl.times=9",
      "  block.0.allocation=196608",
      "  block.0.capacity=1048576",
      "  block.0.physical=200704",
      "  iothread.count=1",
      "  iothread.1.poll-max-ns=32768",
      "  iothread.1.poll-grow=0",
      "  iothread.1.poll-shrink=0",
      "  dirtyrate.calc_status=0",
      "  dirtyrate.calc_start_time=0",
      "  dirtyrate.calc_period=0",
      "  dirtyrate.calc_mode=page-sampling",
      "",
      "",
    ]);
  });

  test("tells of those that are off what needs no QEMU, and filters as virsh does", async () => {
    const machine = await machineWithTwo();
    const names = async (...words: readonly string[]): Promise<string[]> =>
      [...(await runOn(machine, "domstats", "--state", ...words)).out.matchAll(/^Domain: '(.*)'$/gm)].map(
        ([, name]) => name ?? "",
      );
    expect(await names()).toEqual(["vm1", "vm2"]);
    expect(await names("vm2", "vm1")).toEqual(["vm2", "vm1"]);
    expect(await names("--list-inactive")).toEqual(["vm2"]);
    expect(await names("--list-active", "--list-persistent")).toEqual([]);
    expect(await names("--list-transient")).toEqual(["vm1"]);
    expect(await names("--list-running", "--list-shutoff")).toEqual(["vm1", "vm2"]);
    expect((await runOn(machine, "domstats", "vm2", "--state", "--vcpu", "--block", "--cpu-total")).out).toBe(
      [
        "Domain: 'vm2'",
        "  state.state=5",
        "  state.reason=0",
        "  vcpu.current=1",
        "  vcpu.maximum=1",
        "  block.count=1",
        "  block.0.name=vda",
        "  block.0.path=/var/lib/images/top.qcow2",
        "\n",
      ].join("\n"),
    );
  });

  test("--backing counts the images below as well", async () => {
    const { out } = await runOn(await machineWithTwo(), "domstats", "vm1", "--block", "--backing", "--json");
    const [{ stats: found }] = JSON.parse(out);
    expect(found["block.count"]).toBe(2);
    expect(found["block.1.name"]).toBe("vda");
    expect(found["block.1.backingIndex"]).toBe(2);
    expect(found["block.1.path"]).toBe("/var/lib/images/base.raw");
  });

  test("a QEMU that does not answer hides nobody else", async () => {
    const machine = await machineWithTwo();
    machine.qemu = { monitor: "silent" };
    const all = await runOn(machine, "domstats", "--vcpu");
    expect(all.err).toContain("warning: domain 'vm1': Cannot talk to QEMU");
    expect(all.out).toContain("Domain: 'vm2'\n  vcpu.current=1");
    expect((await runOn(machine, "domstats", "vm1")).code).toBe(6);
    expect((await runOn(machine, "domstats", "nosuch")).code).toBe(3);
  });

  test("dommemstat has what the guest tells of its memory between actual and rss", async () => {
    const { out } = await runOn(await machineWithTwo(), "dommemstat", "vm1");
    expect(out).toBe("actual 63488\nmajor_fault 3\nunused 4\nlast_update 17\nrss 5120\n\n");
  });
});
