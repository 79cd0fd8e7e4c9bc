import { expect, test } from "bun:test";
import { parseDomainText } from "../../../src/domain/document.ts";
import type { Domain } from "../../../src/domain/domain.ts";
import type { GuestRecord } from "../../../src/state/record.ts";
import { addBootQueues } from "../../../src/vm/save/boot-queues.ts";

const MACHINE = "pc-q35-10.0";

function domainWith(vcpu: string): Domain {
  return parseDomainText(
    `<domain type='kvm'><name>a</name><uuid>11111111-2222-4333-8444-000000000001</uuid><memory>65536</memory>${vcpu}
    <os><type machine='q35'>hvm</type></os><devices>
    <disk><source file='/a'/><target dev='vda' bus='virtio'/></disk>
    <disk><driver name='qemu' queues='3'/><source file='/b'/><target dev='vdb' bus='virtio'/></disk>
    <disk><source file='/c'/><target dev='sda' bus='scsi'/></disk>
    <controller type='scsi' index='0' model='virtio-scsi'/><controller type='usb' index='0' model='qemu-xhci'/>
    </devices></domain>`,
  );
}

/** Returns a record of a QEMU that was started with this -smp. */
function startedWith(smp: string): Pick<GuestRecord, "steps"> {
  return { steps: [{ do: "spawn", order: { words: ["-m", "64", "-smp", smp] } }] } as unknown as GuestRecord;
}

function queuesIn({ devices }: Domain): unknown[] {
  return [...devices.disks, ...devices.controllers].map((found) =>
    "driver" in found && found.driver !== undefined && "queues" in found.driver
      ? found.driver.queues
      : undefined,
  );
}

// qemu.git virtio_pci_optimal_num_queues(): the number of vCPUs at the start of QEMU, not the current one.
test("addBootQueues() writes the queues of disks that QEMU has made as many as there were virtual CPUs", () => {
  const now = addBootQueues(domainWith("<vcpu>2</vcpu>"), startedWith("1,maxcpus=2,sockets=2"), MACHINE);
  expect(queuesIn(now)).toEqual([1, 3, undefined, 1, undefined]);
});

test.each([
  ["the number is that of the start", "<vcpu current='1'>2</vcpu>", MACHINE],
  ["the machine is of a time when there was one queue", "<vcpu>2</vcpu>", "pc-q35-5.1"],
  ["nobody knows of what time the machine is", "<vcpu>2</vcpu>", undefined],
])("addBootQueues() changes nothing where %s", (_, vcpu, machine) => {
  const domain = domainWith(vcpu);
  expect(addBootQueues(domain, startedWith("1,maxcpus=2"), machine)).toBe(domain);
});
