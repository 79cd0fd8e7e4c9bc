import { formatDomain } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import { completeGuest } from "../../qemu/complete-guest.ts";
import { pollBalloon } from "../../qemu/start-commands.ts";
import type { Instance } from "../../state/instance.ts";
import { type Ask, changeDefinition, refuseChange } from "../change/change-domain.ts";
import { changeSetting } from "../change/change-setting.ts";
import { decideImpact } from "../change/impact.ts";
import { findDomain } from "../guest/find-domain.ts";
import { domainOf } from "../query/guest-statistics.ts";

/**
 * Sets how often a guest's balloon queries the guest's memory statistics, in seconds; 0: never. It applies to
 * the running guest, to the definition, or to both. Throws "wrong-state", "unsupported".
 */
export async function setStatisticsPeriod(
  instance: Instance,
  { key, options }: Pick<Ask, "key" | "options">,
  seconds: number,
): Promise<void> {
  const found = findDomain(instance, key);
  const { definition, guest } = decideImpact(found, options);
  const change = (domain: Domain): Domain => replacePeriod(domain, seconds);
  if (definition !== undefined) refuseChange(instance, definition, change);
  if (guest !== undefined) {
    await changeSetting(instance, guest.uuid, {
      what: "set the statistics period",
      decide(running) {
        const domain = domainOf(running);
        const changed = change(domain);
        return {
          command: pollBalloon(changed.devices.memballoon, seconds),
          before: pollBalloon(changed.devices.memballoon, periodOf(domain)),
          fields: { xml: formatDomain(changed) },
        };
      },
    });
  }
  if (definition !== undefined) await changeDefinition(instance, found.uuid, change);
}

function periodOf({ devices: { memballoon } }: Domain): number {
  return memballoon === undefined || memballoon.model === "none" ? 0 : (memballoon.stats?.period ?? 0);
}

/**
 * Sets the period. A domain without a balloon in its XML has a virtio one. Throws "unsupported" for model
 * "none".
 */
function replacePeriod(domain: Domain, period: number): Domain {
  const { memballoon } = completeGuest(domain).devices;
  if (memballoon === undefined || memballoon.model === "none") {
    throw new SvirtError(
      "Requested operation is not valid: memory balloon model must be virtio to set the collection period",
      {
        kind: "unsupported",
        libvirt: "OPERATION_INVALID",
        remedy: "Give the guest one: <memballoon model='virtio'/>",
      },
    );
  }
  const { stats: _, ...rest } = memballoon;
  const asked = period === 0 ? rest : { ...rest, stats: { period } };
  return { ...domain, devices: { ...domain.devices, memballoon: asked } };
}
