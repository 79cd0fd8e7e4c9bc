import { beforeEach, describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { domainXml, failedStart, labelOf, makeMachine, nodeOn, putNode, UUID } from "../../scenes/scene.ts";

const OTHER = "11111111-2222-4333-8444-000000000002";
const SHARED = "system_u:object_r:svirt_image_t:s0";
const NODES = ["/dev/sgx_vepc", "/dev/sgx_provision"];
const EPC = "<memory model='sgx-epc'><target><size unit='MiB'>8</size></target></memory>";

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  for (const [index, path] of NODES.entries())
    putNode(machine, path, { node: `10:${124 + index}`, type: "svirt_sgx_device_t" });
});

const start = (options: { readonly name?: string; readonly uuid?: string } = {}) =>
  startDomain(nodeOn(machine), domainXml({ devices: EPC + EPC, ...options }));
const labels = () => NODES.map((path) => labelOf(machine, path));

// virSecuritySELinuxSetMemoryLabel() of libvirt labels both nodes, each time for the latest guest.
describe("<memory model='sgx-epc'>", () => {
  test("labels the nodes of SGX for all guests that have enclaves, until the last of them ends", async () => {
    const before = snapshot(machine);
    await start();
    expect(labels()).toEqual([SHARED, SHARED]);
    await start({ name: "vm2", uuid: OTHER });
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labels()).toEqual([SHARED, SHARED]);
    expect(machine.violations).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm2");
    expect(snapshot(machine)).toEqual(before);
  });

  test("lets the guest's user open them by name until QEMU has, and QEMU makes the memory of them", async () => {
    const guest = (await start()).guest;
    const steps = guest.steps.flatMap((step) =>
      step.do === "grant" || step.do === "revoke" ? [`${step.do} ${step.file.path} ${step.uid}`] : [],
    );
    expect(steps).toEqual([
      ...NODES.map((path) => `grant ${path} ${guest.uid}`),
      ...NODES.map((path) => `revoke ${path} ${guest.uid}`),
    ]);
    expect(NODES.map((path) => machine.files.get(path).acl.size)).toEqual([0, 0]);
    const words = readRecord(nodeOn(machine), UUID)?.steps.flatMap((step) =>
      step.do === "spawn" ? step.order.words : [],
    );
    // qemu.git docs/system/i386/sgx.rst
    expect(words?.join(" ")).toContain("sgx-epc.0.memdev=memepc0,sgx-epc.0.node=0,sgx-epc.1.memdev=memepc1");
  });

  test.each(NODES)("is refused where the host has no %s", async (path) => {
    machine.files.remove(path);
    const error = await failedStart(machine, { devices: EPC });
    expect(error).toMatchObject({
      kind: "not-found",
      message: `Cannot give the guest SGX memory (model='sgx-epc'): the host has no ${path}`,
    });
  });

  test("is refused where another device calls itself so", async () => {
    machine.files.remove("/dev/sgx_vepc");
    putNode(machine, "/dev/sgx_vepc", { node: "1:1", type: "memory_device_t" });
    const error = await failedStart(machine, { devices: EPC });
    expect(error.message).toBe(
      "Cannot give /dev/sgx_vepc to the guest: it is the device 1:1, not an SGX node",
    );
  });
});
