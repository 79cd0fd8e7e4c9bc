import type { IdSet } from "../../domain/forms/id-set.ts";
import { formatRange, listRanges } from "../../domain/forms/id-set.ts";
import { SvirtError } from "../../errors.ts";
import { malformed } from "../../qemu/agent/answer.ts";
import type { AgentReturn } from "../../qemu/agent/system.ts";
import type { Instance } from "../../state/instance.ts";
import { DEFAULT_TIMEOUT_MS, responseTimeoutMs } from "../agent/agent-timeout.ts";
import { agentSilent } from "../agent/ask-agent.ts";
import { findDomain, findRunning } from "../guest/find-domain.ts";
import { countVcpus } from "../query/vcpu-info.ts";
import { askSystem } from "./ask-system.ts";

/** Highest number of a virtual CPU, plus 1. QEMU_GUEST_VCPU_MAX_ID of libvirt */
export const MOST_GUEST_VCPUS = 4096;

/** Virtual CPUs as the system in a guest sees them, by their numbers there. */
export interface GuestVcpus {
  readonly vcpus: IdSet;
  readonly online: IdSet;
  readonly offlinable: IdSet;
}

/** Most time for an agent that may take any time for an answer, but not for each of its virtual CPUs. */
const MOST_SWITCH_MS = 60_000;

type AgentVcpu = AgentReturn<"guest-get-vcpus">[number];
type AskedGuest = Parameters<typeof askSystem>[0];

/** Returns the virtual CPUs of a running guest's system. Throws the errors of askSystem(). */
export async function getGuestVcpus(instance: Instance, key: string): Promise<GuestVcpus> {
  const { guest } = findRunning(instance, key);
  const all = await askSystem({ instance, guest }, "guest-get-vcpus");
  const idsOf = (isIn: (vcpu: AgentVcpu) => boolean): IdSet =>
    all
      .filter(isIn)
      .map((vcpu) => vcpu["logical-id"])
      .toSorted((one, other) => one - other);
  return {
    vcpus: idsOf(() => true),
    online: idsOf(({ online }) => online),
    offlinable: idsOf((vcpu) => vcpu["can-offline"] === true),
  };
}

/**
 * Has a running guest's system use these virtual CPUs or not. Throws "usage" for a missing CPU, "unsupported"
 * for an indispensable CPU, and the errors of askSystem(). qemuDomainSetGuestVcpus() of libvirt
 */
export async function setGuestVcpus(
  instance: Instance,
  key: string,
  { ids, isOnline }: { readonly ids: IdSet; readonly isOnline: boolean },
): Promise<void> {
  const asked = { instance, guest: findRunning(instance, key).guest };
  const all = await askSystem(asked, "guest-get-vcpus");
  const wanted = all.filter((vcpu) => ids.includes(vcpu["logical-id"]));
  const fixed = isOnline ? undefined : wanted.find((vcpu) => vcpu["can-offline"] !== true);
  if (fixed !== undefined) throw notOfflinable(fixed["logical-id"]);
  const missing = ids.filter((id) => !wanted.some((vcpu) => vcpu["logical-id"] === id));
  if (missing.length > 0)
    throw refused(`guest is missing vCPUs '${listRanges(missing).map(formatRange).join(",")}'`);
  await switchVcpus(asked, wanted, isOnline);
}

/**
 * Has a running guest's system use this number of virtual CPUs, but not more than it has. Throws "usage" for
 * an impossible number, and the errors of askSystem(). qemuDomainSetVcpusAgent() of libvirt
 */
export async function setGuestVcpuCount(instance: Instance, key: string, count: number): Promise<void> {
  const { guest } = findRunning(instance, key);
  const enabled = await countVcpus(instance, guest);
  if (count > enabled)
    throw refused(
      `requested vcpu count is greater than the count of enabled vcpus in the domain: ${count} > ${enabled}`,
    );
  const asked = { instance, guest };
  const all = await askSystem(asked, "guest-get-vcpus");
  const { isOnline, vcpus } = decideSwitch(all, count);
  await switchVcpus(asked, vcpus, isOnline);
}

/**
 * Returns how many virtual CPUs a running guest's system has, or uses. Throws "usage" for a domain that is
 * off, and as askSystem().
 */
export async function countGuestVcpus(
  instance: Instance,
  key: string,
  what: "maximum" | "current",
): Promise<number> {
  const { guest } = findDomain(instance, key);
  if (guest === undefined)
    throw refused("vCPU count provided by the guest agent can only be requested for live domains");
  const all = await askSystem({ instance, guest }, "guest-get-vcpus");
  return what === "maximum" ? all.length : all.filter(({ online }) => online).length;
}

/**
 * Returns the virtual CPUs to switch for a total of `count`: the first possible CPUs.
 * qemuAgentUpdateCPUInfo() of libvirt
 */
function decideSwitch(
  all: readonly AgentVcpu[],
  count: number,
): { readonly isOnline: boolean; readonly vcpus: readonly AgentVcpu[] } {
  if (all.some((vcpu) => !vcpu.online && vcpu["can-offline"] !== true))
    throw malformed("guest-get-vcpus", "a virtual CPU that is offline and cannot be");
  const online = all.filter((vcpu) => vcpu.online);
  const offline = all.filter((vcpu) => !vcpu.online);
  if (count > all.length)
    throw new SvirtError("internal error: guest agent reports less cpu than requested", {
      kind: "failed",
      libvirt: "INTERNAL_ERROR",
      remedy: "List its virtual CPUs: svirt guestvcpus DOMAIN",
    });
  if (count >= online.length) return { isOnline: true, vcpus: offline.slice(0, count - online.length) };
  const offlinable = online.filter((vcpu) => vcpu["can-offline"] === true);
  // Systems do not work well without their first CPU.
  const isEvery = offlinable.length === online.length;
  const free = isEvery ? offlinable.filter((vcpu) => vcpu["logical-id"] !== 0) : offlinable;
  if (online.length - free.length > count) throw refused("Cannot offline enough CPUs");
  return { isOnline: false, vcpus: free.slice(0, online.length - count) };
}

/**
 * Switches virtual CPUs. The agent reports the number of switched CPUs; it is asked again for the others,
 * within the time of a single answer. Without a limit on answers: in 5 s for each, but a minute at most, and
 * not for a vanished client. qemuAgentSetVCPUs() of libvirt
 */
async function switchVcpus(asked: AskedGuest, vcpus: readonly AgentVcpu[], isOnline: boolean): Promise<void> {
  const { guest, instance } = asked;
  const isUnlimited = responseTimeoutMs(guest) === Number.POSITIVE_INFINITY;
  let endMs: number | undefined;
  let left = vcpus.map((vcpu) => ({ "logical-id": vcpu["logical-id"], online: isOnline }));
  while (left.length > 0) {
    const done = await askSystem(asked, "guest-set-vcpus", { args: { vcpus: left } });
    if (done < 1 || done > left.length) throw malformed("guest-set-vcpus", "the number");
    left = left.slice(done);
    const nowMs = instance.host.nowMs();
    endMs ??= nowMs + switchTimeMs(guest, left.length);
    const isLeft = isUnlimited && instance.hasCallerLeft?.() === true;
    if (left.length > 0 && (isLeft || nowMs >= endMs)) throw agentSilent(guest.name, { isAnswered: true });
  }
}

function switchTimeMs(guest: AskedGuest["guest"], count: number): number {
  const answerMs = responseTimeoutMs(guest) ?? DEFAULT_TIMEOUT_MS;
  return answerMs === Number.POSITIVE_INFINITY
    ? Math.min(count * DEFAULT_TIMEOUT_MS, MOST_SWITCH_MS)
    : answerMs;
}

function notOfflinable(id: number): SvirtError {
  return new SvirtError(`Operation not supported: vCPU '${id}' is not offlinable`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "List the virtual CPUs of its system: svirt guestvcpus DOMAIN",
  });
}

function refused(why: string): SvirtError {
  return new SvirtError(`invalid argument: ${why}`, {
    kind: "usage",
    remedy: "List the virtual CPUs of its system: svirt guestvcpus DOMAIN",
  });
}
