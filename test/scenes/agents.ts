import { defineDomain } from "../../src/vm/define/define.ts";
import { getDomainXml } from "../../src/vm/query/domain-xml.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, UUID } from "./scene.ts";

const CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";

/** Answers of a guest's agent, by command: the forms of qemu.git qga/qapi-schema.json. */
export type AgentAnswers = Readonly<Record<string, unknown>>;

/**
 * Returns a machine with a running guest, whose agent returns these values. Its disk is vda, on PCI
 * 0000:00:slot.
 */
export async function machineWithAgent(answers: AgentAnswers): Promise<Machine> {
  const machine = makeMachine();
  const xml = domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda"), devices: CHANNEL });
  await defineDomain(nodeOn(machine), xml);
  await startDomain(nodeOn(machine), xml);
  machine.agent.answers = new Map(Object.entries(answers).map(([name, value]) => [name, { return: value }]));
  machine.qemu = { ...machine.qemu, answers: new Map([["rtc-reset-reinjection", {}]]) };
  const { xml: live } = await getDomainXml(nodeOn(machine), "vm1", "running");
  const socket = machine.files.put(`/run/svirt/${UUID}/guest/channel0.sock`, "socket");
  socket.xattrs.set("security.selinux", /<imagelabel>(.*)<\/imagelabel>/.exec(live)?.[1] ?? "");
  return machine;
}

/** Returns the slot of the guest's disk on PCI, by its XML. */
export async function slotOfDisk(machine: Machine): Promise<number> {
  const { xml } = await getDomainXml(nodeOn(machine), "vm1", "running");
  const disk = /<disk .*?<\/disk>/s.exec(xml)?.[0] ?? "";
  return Number(/<address type='pci'.* slot='(0x[0-9a-f]+)'/.exec(disk)?.[1]);
}
