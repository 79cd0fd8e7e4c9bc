import { checkEach, contradict, type Faults } from "../../xml/faults.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { diskBus } from "../devices/disk/facts.ts";
import type { Devices } from "../devices.ts";
import { commonIds, type IdSet } from "../forms/id-set.ts";
import { iothreadProblem } from "../forms/iothread-mapping.ts";
import type { Iothread } from "../forms/iothreads.ts";
import type { Cputune } from "../machine/cputune.ts";
import { listIothreads } from "../machine/list-iothreads.ts";
import type { Vcpu, Vcpus } from "../machine/vcpu.ts";
import type { CheckedDomain } from "./checked-domain.ts";

interface Parts {
  readonly vcpu?: Vcpu;
  readonly vcpus?: Vcpus;
  readonly iothreads?: number;
  readonly iothreadIds?: { readonly list: readonly Iothread[] };
  readonly cputune?: Cputune;
  readonly devices: Devices;
}

/** Refuses settings for unknown threads, and repeated settings for a thread. `node` is the `<domain>`. */
export function refuseThreadContradictions(value: Parts, node: XmlNode, faults?: Faults): void {
  const { cputune } = value;
  const vcpus = cputune?.vcpuscheds.map((found) => found.vcpus) ?? [];
  const iothreads = cputune?.iothreadscheds.map((found) => found.iothreads) ?? [];
  checkEach(faults, [
    () => refuseOtherVcpus(value, node),
    () => refuseOtherIothreads(value, node, faults),
    () => (cputune === undefined ? undefined : refuseOtherPins(value, cputune, { node, faults })),
    () => refuseOverlap("vcpusched/@vcpus", vcpus, node),
    () => refuseOverlap("iothreadsched/@iothreads", iothreads, node),
  ]);
}

// virDomainVcpuParse() of libvirt, which lets <vcpus> override <vcpu current=''>; svirt requires them to
// agree.
function refuseOtherVcpus({ vcpu, vcpus }: Parts, node: XmlNode): void {
  if (vcpus === undefined || vcpus.list.length === 0) return;
  const count = vcpu?.count ?? 1;
  const ids = vcpus.list.map(({ id }) => id);
  const enabled = vcpus.list.filter((found) => found.enabled);
  const refuse = (problem: string): Error =>
    notUnderstood({ node, place: "vcpus" }, problem, "Describe each virtual CPU of <vcpu> once.");
  if (new Set(ids).size !== ids.length) throw refuse("a virtual CPU is listed twice");
  if (ids.length !== count)
    throw refuse(`it describes ${ids.length} virtual CPUs, and the guest has ${count}`);
  if (Math.max(...ids) >= count) throw refuse(`the guest has no virtual CPU ${Math.max(...ids)}`);
  const current = vcpu?.current ?? count;
  if (enabled.length !== current) throw refuse(`${enabled.length} are enabled, and <vcpu> says ${current}`);
  const first = vcpus.list.find(({ id }) => id === 0);
  if (first?.enabled !== true || first.hotpluggable === true) {
    throw refuse("virtual CPU 0 must be enabled and not hotpluggable");
  }
}

function refuseOtherIothreads(value: Parts, node: XmlNode, faults: Faults | undefined): void {
  const known = new Set(listIothreads(value).map(({ id }) => id));
  const { disks, controllers } = value.devices;
  const users = [
    ...disks.map((disk, index) => ({
      use: disk.driver,
      place: `devices/disk[${index + 1}]/driver`,
      isVirtio: diskBus(disk) === "virtio" && disk.type !== "vhostuser",
    })),
    ...controllers.map((found, index) => ({
      use: found.type === "scsi" ? found.driver : undefined,
      place: `devices/controller[${index + 1}]/driver`,
      isVirtio: found.type === "scsi" && (found.model?.startsWith("virtio") ?? false),
    })),
  ];
  for (const { use, place, isVirtio } of users) {
    if (use?.iothread === undefined && use?.iothreads === undefined) continue;
    const problem = isVirtio ? iothreadProblem(use, known) : "only virtio devices have I/O threads";
    if (problem === undefined) continue;
    contradict(faults, notUnderstood({ node, place }, problem, "Correct it, or leave it out."));
  }
}

// virDomainVcpuPinDefParseXML() and virDomainIOThreadPinDefParseXML() of libvirt
function refuseOtherPins(
  value: Parts,
  { vcpupins, iothreadpins, iothreadscheds }: Cputune,
  at: CheckedDomain,
): void {
  const vcpus = new Set([...Array(value.vcpu?.count ?? 1).keys()]);
  refusePins("vcpupin/@vcpu", { pinned: vcpupins.map(({ vcpu }) => vcpu), known: vcpus }, at);
  const iothreads = new Set(listIothreads(value).map(({ id }) => id));
  const unknown = iothreadscheds.flatMap((found) => found.iothreads).find((id) => !iothreads.has(id));
  if (unknown !== undefined) {
    const spot = { node: at.node, place: "cputune/iothreadsched/@iothreads" };
    contradict(at.faults, notUnderstood(spot, `the guest does not have number ${unknown}`, "Leave it out."));
  }
  const pinned = iothreadpins.map(({ iothread }) => iothread);
  refusePins("iothreadpin/@iothread", { pinned, known: iothreads }, at);
}

interface Pins {
  readonly pinned: readonly number[];
  readonly known: ReadonlySet<number>;
}

function refusePins(place: string, { pinned, known }: Pins, { node, faults }: CheckedDomain): void {
  for (const [at, id] of pinned.entries()) {
    const problem = known.has(id) ? `number ${id} is listed twice` : `the guest does not have number ${id}`;
    if (known.has(id) && pinned.indexOf(id) === at) continue;
    const spot = { node, place: `cputune/${place}` };
    contradict(faults, notUnderstood(spot, problem, "Leave it out."));
  }
}

function refuseOverlap(place: string, sets: readonly IdSet[], node: XmlNode): void {
  for (const [at, set] of sets.entries()) {
    const twice = sets.slice(0, at).flatMap((other) => commonIds(other, set));
    if (twice.length === 0) continue;
    throw notUnderstood(
      { node, place: `cputune/${place}` },
      `${twice[0]} is in two of them`,
      "Write it once.",
    );
  }
}
