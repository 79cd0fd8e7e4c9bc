import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { asked, call, domain, errorIn, text, word } from "../../../rpc/remote-client.ts";
import { machineWithGroups } from "../../../scenes/groups.ts";
import { diskXml, domainXml, makeMachine, nodeOn, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

// Layouts are those of libvirt's tools/virsh-domain.c and virsh-domain-monitor.c; bytes those of
// remote_protocol.x.

const VM1 = domain("vm1", UUID);

async function running(answer: readonly [string, unknown], lifecycle = ""): Promise<Machine> {
  const machine = lifecycle === "" ? makeMachine() : machineWithGroups();
  machine.qemu = { answers: new Map([answer]) };
  const disks =
    diskXml("/var/lib/images/private1.raw", "vda") + diskXml("/var/lib/images/private2.raw", "vdb");
  machine.files.put("/vm1.xml", "file", { bytes: domainXml({ disks, lifecycle }) });
  await runOn(machine, "define", "/vm1.xml");
  await runOn(machine, "start", "vm1");
  return machine;
}

describe("errors of disks", () => {
  const drive = (disk: number, status?: string): object => ({
    qdev: `/machine/peripheral/virtio-disk${disk}/virtio-backend`,
    ...(status === undefined ? {} : { "io-status": status }),
  });

  test.each([
    ["none", [drive(0, "ok"), drive(1), {}], "No errors found\n\n"],
    [
      "a full and a failing storage",
      [drive(1, "failed"), drive(0, "nospace")],
      "vda: no space\nvdb: unspecified error\n\n",
    ],
  ])("domblkerror tells of %s", async (_, drives, out) => {
    expect(await runOn(await running(["query-block", drives]), "domblkerror", "vm1")).toEqual({
      code: 0,
      out,
      err: "",
    });
  });

  test("virDomainGetDiskErrors() tells for how many there must be room, and then each with its number", async () => {
    const node = nodeOn(await running(["query-block", [drive(1, "failed"), drive(0, "nospace")]]));
    const get = (most: number): string => call(263, VM1 + word(most) + word(0));
    expect((await asked(node, get(0))).payload).toBe(word(0) + word(2));
    expect((await asked(node, get(2))).payload).toBe(
      word(2) + text("vda") + word(2) + text("vdb") + word(1) + word(2),
    );
    expect((await asked(node, get(1))).payload).toBe(word(1) + text("vda") + word(2) + word(1));
    expect(errorIn(await asked(node, get(257)))?.message).toBe("internal error: maxerrors too large");
  });

  test("an answer of QEMU that is none is refused", async () => {
    const { code, err } = await runOn(await running(["query-block", [{ qdev: 1 }]]), "domblkerror", "vm1");
    expect([code, err]).toEqual([1, expect.stringContaining("Cannot read QEMU's answer to query-block")]);
  });
});

describe("I/O threads", () => {
  const THREADS = "<iothreads>2</iothreads><cputune><iothreadpin iothread='2' cpuset='1'/></cputune>";

  test("of a definition are listed with their pins", async () => {
    const machine = await running(["query-iothreads", []], THREADS);
    expect((await runOn(machine, "iothreadinfo", "vm1", "--config")).out).toBe(
      " IOThread ID   CPU Affinity\n-----------------------------\n 1             0-3\n 2             1\n\n",
    );
    // The first has the map of four processors, the second that of processor 1.
    expect((await asked(nodeOn(machine), call(351, VM1 + word(2)))).payload).toBe(
      `${word(2)}${word(1)}${word(1)}0f000000${word(2)}${word(1)}02000000${word(2)}`,
    );
  });

  test("of a guest without any are none", async () => {
    const machine = await running(["query-iothreads", []]);
    expect((await runOn(machine, "iothreadinfo", "vm1")).out).toBe("No IOThreads found for the domain\n");
    expect((await runOn(machine, "iothreadinfo", "vm1", "--live", "--config")).code).toBe(2);
  });
});

test("domcontrol tells whether QEMU takes commands", async () => {
  const machine = await running(["query-status", { status: "running" }]);
  expect(await runOn(machine, "domcontrol", "vm1")).toEqual({ code: 0, out: "ok\n\n", err: "" });
  machine.qemu = { mute: new Map([[UUID, "after greeting"]]) };
  expect((await runOn(machine, "domcontrol", "vm1")).out).toBe("error: monitor failure\n\n");
  await runOn(machine, "destroy", "vm1");
  expect((await runOn(machine, "domcontrol", "vm1")).err).toContain("domain is not running");
});
