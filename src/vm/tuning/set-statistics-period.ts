import { formatDomain } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import { completeGuest } from "../../qemu/complete-guest.ts";
import { pollBalloon } from "../../qemu/start-commands.ts";
import type { Instance } from "../../state/instance.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import { settingChange } from "../change/change-setting.ts";
import { domainOf } from "../query/guest-statistics.ts";

/**
 * Sets how often a guest's balloon queries the guest's memory statistics, in seconds; 0: never. It applies to
 * the running guest, to the definition, or to both. Throws "wrong-state", "unsupported".
 */
export async function setStatisticsPeriod(instance: Instance, ask: Ask, seconds: number): Promise<Changed> {
  const config = (domain: Domain): Domain => replacePeriod(domain, seconds);
  const live = settingChange(instance, {
    what: "set the statistics period",
    decide(running) {
      const domain = domainOf(running);
      const changed = config(domain);
      const { memballoon } = changed.devices;
      return {
        command: pollBalloon(memballoon, seconds),
        before: pollBalloon(memballoon, periodOf(domain)),
        xml: formatDomain(changed),
      };
    },
  });
  return await changeDomain(instance, ask, { live, config });
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
