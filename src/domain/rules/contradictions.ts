import { checkEach, contradict, type Faults } from "../../xml/faults.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import type { Devices } from "../devices.ts";
import { DEFAULT_MODEL } from "../forms/label-model.ts";
import type { Cpu } from "../machine/cpu.ts";
import type { Cputune } from "../machine/cputune.ts";
import { guestSeclabel } from "../machine/guest-seclabel.ts";
import type { MemoryBacking } from "../machine/memory-backing.ts";
import type { Numatune } from "../machine/numatune.ts";
import type { Os } from "../machine/os.ts";
import { alreadyProvided, refuseModels, type Seclabel } from "../machine/seclabel.ts";
import type { Sysinfo } from "../machine/sysinfo.ts";
import type { Vcpu } from "../machine/vcpu.ts";
import { isSerialConsole } from "../ports.ts";
import { refuseCacheContradictions } from "./cache.ts";
import { refuseDeviceContradictions } from "./devices.ts";
import { refuseMemoryContradictions } from "./memory.ts";
import { refuseThreadContradictions } from "./threads.ts";

interface Parts {
  readonly type: "kvm" | "qemu";
  readonly uuid?: string;
  readonly sysinfos: readonly Sysinfo[];
  readonly memory: { readonly kiB: number };
  readonly maxMemory?: { readonly kiB: number; readonly slots?: number };
  readonly memoryBacking?: MemoryBacking;
  readonly numatune?: Numatune;
  readonly cputune?: Cputune;
  readonly onPoweroff?: string;
  readonly onReboot?: string;
  readonly vcpu?: Vcpu;
  readonly os: Os;
  readonly cpu?: Cpu;
  readonly devices: Devices;
  readonly seclabels: readonly Seclabel[];
}

/** Refuses contradictions between two elements of a domain. `node` is the `<domain>`. */
export function refuseContradictions(value: Parts, node: XmlNode, faults?: Faults): void {
  const { cputune, devices, seclabels, type } = value;
  checkEach(faults, [
    () => refuseOtherTopology(value, node),
    () => refuseModels(seclabels, node),
    () => refuseUselessOverride(value, node),
    () => refuseDoubleOverrides(node, faults),
    () => refuseDoubleTargets(node, faults),
    () => refuseDoubleBootOrder(value, node, faults),
    () => refuseOtherConsoles(devices, node, faults),
    () => refuseThreadContradictions(value, node, faults),
    () => refuseMemoryContradictions(value, node, faults),
    () => refuseOtherUuid(value, node),
    () => refuseOtherActions(value, node),
    () => refuseDeviceContradictions(devices, node, faults),
    () => (cputune === undefined ? undefined : refuseCacheContradictions(cputune, type, node)),
  ]);
}

// qemuValidateLifecycleAction() of libvirt: QEMU ends in the same way in both cases, so svirt could not tell
// which action is required.
function refuseOtherActions({ onPoweroff, onReboot }: Parts, node: XmlNode): void {
  if (onPoweroff !== "restart" || onReboot !== "destroy") return;
  const why = "a guest that reboots would not start again, and one that powers off would";
  throw notUnderstood(
    { node, place: "on_poweroff" },
    why,
    "Write the same action in <on_poweroff> and <on_reboot>.",
  );
}

// virDomainDefPostParse of libvirt: "CPU topology doesn't match maximum vcpu count"
function refuseOtherTopology({ cpu, vcpu }: Parts, node: XmlNode): void {
  if (cpu?.topology === undefined) return;
  const { sockets, dies = 1, clusters = 1, cores, threads } = cpu.topology;
  const [wanted, given] = [sockets * dies * clusters * cores * threads, vcpu?.count ?? 1];
  if (wanted === given) return;
  throw notUnderstood(
    { node, place: "cpu/topology" },
    `it has room for ${wanted} virtual CPUs, and the guest has ${given}`,
    "Make the product of its numbers equal to <vcpu>.",
  );
}

// Uses the message of libvirt's virSecurityDeviceLabelDefParseXML().
function refuseUselessOverride({ seclabels }: Parts, node: XmlNode): void {
  const { type, relabel } = guestSeclabel(seclabels);
  if (type === "dynamic" || (type === "static" && relabel === true)) return;
  const override = listInside(node, "seclabel").find(
    (found) => found.parent !== node && found.children.some(({ tag }) => tag === "label"),
  );
  if (override === undefined) return;
  throw notUnderstood(
    { node: override },
    "label overrides require relabeling to be enabled at the domain level",
    "Write relabel='yes' in the domain's <seclabel>, or leave this label out.",
  );
}

function refuseDoubleOverrides(node: XmlNode, faults: Faults | undefined): void {
  for (const source of listInside(node, "source")) {
    const seen = new Set<string>();
    for (const seclabel of source.children.filter(({ tag }) => tag === "seclabel")) {
      const model = seclabel.attributes.get("model") ?? DEFAULT_MODEL;
      if (seen.has(model)) contradict(faults, alreadyProvided(seclabel, model));
      seen.add(model);
    }
  }
}

function refuseDoubleTargets(node: XmlNode, faults: Faults | undefined): void {
  const targets = listInside(node, "target").filter(({ parent }) => parent?.tag === "disk");
  refuseDouble(targets, { attribute: "dev", problem: "another disk already has this name" }, faults);
}

function refuseDoubleBootOrder({ os }: Parts, node: XmlNode, faults: Faults | undefined): void {
  const orders = listInside(node, "boot").filter(({ parent }) => parent?.tag !== "os");
  refuseDouble(orders, { attribute: "order", problem: "another device already has this place" }, faults);
  const [first] = orders;
  if (first === undefined || os.boot.length === 0) return;
  throw notUnderstood(
    { node: first },
    "it cannot be combined with <boot> in <os>",
    "Leave <boot> out of <os>, or out of the devices.",
  );
}

function refuseDouble(
  nodes: readonly XmlNode[],
  { attribute, problem }: { readonly attribute: string; readonly problem: string },
  faults: Faults | undefined,
): void {
  const seen = new Set<string | undefined>();
  for (const node of nodes) {
    const value = node.attributes.get(attribute);
    if (seen.has(value)) {
      const spot = { node, place: `@${attribute}` };
      contradict(faults, notUnderstood(spot, problem, `Write another ${attribute}.`));
    }
    seen.add(value);
  }
}

// virDomainDefAddConsoleCompat of libvirt silently uses the first serial port's backend.
function refuseOtherConsoles(
  { serials, consoles }: Devices,
  node: XmlNode,
  faults: Faults | undefined,
): void {
  const nodes = listInside(node, "console");
  for (const [index, device] of consoles.entries()) {
    if (!isSerialConsole(device)) continue;
    const spot = { node: nodes[index] ?? node };
    if (index > 0) {
      const problem = "only the first console can be a serial port";
      contradict(faults, notUnderstood(spot, problem, "Write <target type='virtio'/>."));
      continue;
    }
    if (serials[0] === undefined || serials[0].type === device.type) continue;
    throw notUnderstood(
      spot,
      `it is the first <serial> under another name, and that one is of type "${serials[0].type}"`,
      "Give it the same type, or leave it out.",
    );
  }
}

function listInside(node: XmlNode, tag: string): readonly XmlNode[] {
  return node.children.flatMap((child) => [...(child.tag === tag ? [child] : []), ...listInside(child, tag)]);
}

// virSysinfoSystemParseXML() of libvirt: "UUID mismatch between <uuid> and <sysinfo>"
function refuseOtherUuid({ uuid, sysinfos }: Parts, node: XmlNode): void {
  const tables = sysinfos.flatMap((sysinfo) =>
    sysinfo.type === "smbios" ? (sysinfo.system?.entries ?? []) : [],
  );
  const other = tables.find(({ name, value }) => name === "uuid" && value.toLowerCase() !== uuid);
  if (other === undefined) return;
  throw notUnderstood(
    { node, place: "sysinfo/system/entry" },
    "it is not the <uuid>",
    "Write the domain's <uuid> there.",
  );
}
