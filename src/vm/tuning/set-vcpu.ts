import { SvirtError } from "../../errors.ts";
import type { VcpuSlot } from "../../qemu/monitor/vcpu-slots.ts";
import type { Instance } from "../../state/instance.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import { decideImpact } from "../change/impact.ts";
import { findDomain } from "../guest/find-domain.ts";
import { askSlots, explainUnplug, replaceVcpus, setLive } from "./set-vcpus.ts";

/** Virtual CPUs of a domain that are enabled or disabled. */
export interface VcpuChoice {
  /** Ascending, at least one. */
  readonly ids: readonly number[];
  readonly isEnabled: boolean;
}

/**
 * Enables or disables single virtual CPUs: a single CPU of a running guest, or several of the definition. The
 * enabled CPUs must be the first afterwards, as in `<vcpu current>` and in an image of a save. Throws
 * "usage", "wrong-state" with libvirt's messages; "unsupported" for other virtual CPUs.
 * qemuDomainSetVcpuInternal() of libvirt
 */
export async function setVcpu(instance: Instance, ask: Ask, choice: VcpuChoice): Promise<Changed> {
  const found = findDomain(instance, ask.key);
  const { guest } = decideImpact(found, ask.options);
  const slots = guest === undefined ? [] : await askSlots(instance, guest);
  const present = slots.flatMap(({ number, path }) => (path === undefined ? [] : [number]));
  if (guest !== undefined) refuseOtherSlot(slots, choice);

  try {
    return await changeDomain(instance, ask, {
      live: setLive(instance, slots, guest === undefined ? 0 : countAfter(present, choice)),
      config(domain) {
        const { count: most = 1, current = most } = domain.vcpu ?? {};
        refuseAbsent(choice, { most, form: "persistent" });
        if (choice.ids.includes(0)) throw invalid("vCPU '0' can't be modified");
        return replaceVcpus(
          domain,
          countAfter(
            Array.from({ length: current }, (_, id) => id),
            choice,
          ),
        );
      },
    });
  } catch (error) {
    throw explainUnplug(error);
  }
}

function refuseOtherSlot(slots: readonly VcpuSlot[], choice: VcpuChoice): void {
  refuseAbsent(choice, { most: slots.length, form: "live" });
  for (const id of choice.ids) {
    const path = slots[id]?.path;
    if ((path !== undefined) === choice.isEnabled)
      throw invalid(`vcpu '${id}' is already in requested state`);
    if (path !== undefined && !path.startsWith("/machine/peripheral/"))
      throw invalid(`vcpu '${id}' can't be hotunplugged`);
  }
  if (choice.ids.length > 1)
    throw notOne("only one hotpluggable entity can be selected", "Name one virtual CPU.");
}

/** Returns the number of enabled virtual CPUs after the change. */
function countAfter(present: readonly number[], { ids, isEnabled }: VcpuChoice): number {
  const chosen = new Set(ids);
  const after = isEnabled
    ? [...new Set([...present, ...ids])].toSorted((one, other) => one - other)
    : present.filter((id) => !chosen.has(id));
  if (after.every((id, at) => id === at)) return after.length;
  throw notOne(
    "the enabled virtual CPUs would not be the first ones of the domain",
    "Enable the first disabled one, or disable the last enabled one: svirt vcpuinfo DOMAIN",
  );
}

function refuseAbsent(
  { ids }: VcpuChoice,
  { form, most }: { readonly most: number; readonly form: "live" | "persistent" },
): void {
  const last = ids.at(-1) ?? 0;
  if (last >= most) throw invalid(`vcpu ${last} is not present in ${form} config`);
}

function invalid(why: string): SvirtError {
  return new SvirtError(`invalid argument: ${why}`, {
    kind: "usage",
    remedy: "Name other virtual CPUs: svirt vcpuinfo DOMAIN",
  });
}

function notOne(why: string, remedy: string): SvirtError {
  return new SvirtError(`Operation not supported: ${why}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy,
  });
}
