import { expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import { listStates } from "../../../src/vm/query/listed-states.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";

const PID = 4000;
const GUEST = {
  id: 1,
  name: "vm1",
  uuid: "8a2f3f56-41c9-4a9f-9b6b-000000000001",
  process: { pid: PID, startTicks: 1 },
};

/**
 * Lists the state of a guest without a QEMU to ask, whose vCPU waits in these functions of the kernel in
 * turn.
 */
async function listAfter(waits: readonly string[]): Promise<{ monitor: string | undefined; looks: number }> {
  const machine = makeMachine();
  const folder = `/proc/${PID}/task/${PID + 1}`;
  machine.files.putFolder(folder);
  machine.files.put(`${folder}/stat`, "file", {
    bytes: new TextEncoder().encode(`${PID + 1} (CPU 0/KVM) S 1 2 3`),
  });
  const node = nodeOn(machine);
  let looks = 0;
  const host: Host = Object.create(node.host);
  host.readText = (path) => {
    if (path !== `${folder}/wchan`) return node.host.readText(path);
    looks += 1;
    return waits[looks - 1];
  };
  const [state] = await listStates({ ...node, host }, [GUEST]);
  return { monitor: state?.monitor, looks };
}

test("listStates() looks again at a vCPU that has left KVM for a moment", async () => {
  expect(await listAfter(["futex_do_wait", "kvm_vcpu_block"])).toEqual({ monitor: "not asked", looks: 2 });
});

test("listStates() asks the QEMU whose vCPU waits in it at three looks", async () => {
  const waits = ["futex_do_wait", "futex_do_wait", "futex_do_wait", "kvm_vcpu_block"];
  expect(await listAfter(waits)).toEqual({ monitor: "no answer", looks: 3 });
});
