import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { asSvirtError, SvirtError } from "../../errors.ts";
import { planAttach, planDetach } from "../../plan/actions/hotplug.ts";
import { guestPaths } from "../../plan/paths.ts";
import { decideVcpus, parseVcpuSlots, refuseTooMany, type VcpuSlot } from "../../qemu/monitor/vcpu-slots.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import type { ChangeRequest } from "../change/change-guest.ts";
import { decideImpact } from "../change/impact.ts";
import { findDomain } from "../guest/find-domain.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { tuneNewThreads } from "./new-threads.ts";

/** A change of the number of virtual CPUs. */
interface VcpusAsk extends Ask {
  /** New CPUs can be taken from the running guest again, like every running guest's; none of a definition. */
  readonly isHotpluggable: boolean;
}

/** Sets the number of virtual CPUs of a domain. Throws "usage", "wrong-state", "unsupported", "timeout". */
export async function setVcpus(instance: Instance, ask: VcpusAsk, count: number): Promise<Changed> {
  const { definition, guest } = decideImpact(findDomain(instance, ask.key), ask.options);
  if (ask.isHotpluggable && definition !== undefined) throw notHotpluggable();
  const slots = guest === undefined ? [] : await askSlots(instance, guest);
  try {
    return await changeDomain(instance, ask, {
      live: setLive(instance, slots, count),
      config(domain) {
        refuseTooMany(count, { most: domain.vcpu?.count ?? 1, whose: "persistent" });
        return replaceVcpus(domain, count);
      },
    });
  } catch (error) {
    throw explainUnplug(error);
  }
}

/**
 * Explains QEMU's error for a guest whose system does not control processor hot-plug yet. qemu.git
 * hw/acpi/piix4.c
 */
export function explainUnplug(error: unknown): SvirtError {
  const found = asSvirtError(error);
  if (!found.message.includes("unplug request for not supported device type")) return found;
  return new SvirtError(found.message, {
    kind: "failed",
    remedy:
      "Change its definition (--config): the guest's system does not support that, or has not booted yet.",
    cause: error,
  });
}

/** Sets the maximum number of virtual CPUs of a domain from its next start on. */
export async function setMostVcpus(instance: Instance, ask: Ask, most: number): Promise<Changed> {
  return await changeDomain(instance, ask, {
    live: neverLive("Maximum vcpu can't be modified on live domain"),
    config(domain) {
      const { count = 1, current = count } = domain.vcpu ?? {};
      return replaceVcpus({ ...domain, vcpu: { ...domain.vcpu, count: most } }, Math.min(current, most));
    },
  });
}

/** Returns a change that every running guest refuses: only a definition can have it. */
export function neverLive(message: string): ChangeRequest {
  return {
    what: message,
    decide() {
      throw new SvirtError(`argument unsupported: ${message}`, {
        kind: "unsupported",
        libvirt: "ARGUMENT_UNSUPPORTED",
        remedy: "Change the definition: --config",
      });
    },
  };
}

/** Asks a running guest's QEMU for the slots of virtual CPUs. Throws "timeout". */
export async function askSlots(instance: Instance, guest: GuestRecord): Promise<readonly VcpuSlot[]> {
  return parseVcpuSlots(
    await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("query-hotpluggable-cpus")),
  );
}

/** Returns the change of a running guest with these slots to `count` virtual CPUs. */
export function setLive(instance: Instance, slots: readonly VcpuSlot[], count: number): ChangeRequest {
  return {
    what: `set ${count} virtual CPUs`,
    decide(guest) {
      const { add, remove } = decideVcpus(slots, count);
      const { monitor } = guestPaths(instance.paths, guest.uuid);
      const xml = formatDomain(replaceVcpus(parseDomainText(guest.xml), count));
      const plugs = add.map((command) =>
        planAttach({ files: [], passedFiles: [], commands: [command] }, monitor),
      );
      const unplugs = remove.map((id) => planDetach(guest.steps, id, monitor));
      return {
        xml,
        steps: [...plugs.flatMap(({ steps }) => steps), ...tuneNewThreads(instance, guest, xml)],
        after: unplugs.flatMap(({ after }) => after),
      };
    },
  };
}

function notHotpluggable(): SvirtError {
  return new SvirtError("argument unsupported: the virtual CPUs of a definition are not set separately", {
    kind: "unsupported",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: "Leave --hotpluggable out, or change only the running guest: --live",
  });
}

/**
 * Returns the domain with `current` enabled virtual CPUs. Throws "unsupported" for a domain with `<vcpus>`.
 */
export function replaceVcpus(domain: Domain, current: number): Domain {
  if (domain.vcpus !== undefined) {
    throw new SvirtError(
      "Cannot set the number of virtual CPUs: /domain/vcpus sets each virtual CPU separately",
      {
        kind: "unsupported",
        remedy: "Leave <vcpus> out, and write <vcpu current='1'>4</vcpu>: svirt edit",
      },
    );
  }
  const { current: _, ...vcpu } = { count: 1, ...domain.vcpu };
  return { ...domain, vcpu: current === vcpu.count ? vcpu : { ...vcpu, current } };
}
