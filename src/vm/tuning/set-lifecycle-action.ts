import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import { setActions } from "../../qemu/machine/lifecycle.ts";
import type { Instance } from "../../state/instance.ts";
import { endActions } from "../../state/new-record.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import { settingChange } from "../change/change-setting.ts";

/** Ends of a guest, in the order of virDomainLifecycle of libvirt's libvirt-domain.h. */
export const LIFECYCLE_TYPES = ["poweroff", "reboot", "crash"] as const;

/** Actions after such an end, in the order of virDomainLifecycleAction. */
export const LIFECYCLE_ACTIONS = [
  "destroy",
  "restart",
  "rename-restart",
  "preserve",
  "coredump-destroy",
  "coredump-restart",
] as const;

/** An end of a guest, and the action after it. */
export interface LifecycleAction {
  readonly type: (typeof LIFECYCLE_TYPES)[number];
  readonly action: (typeof LIFECYCLE_ACTIONS)[number];
}

/**
 * Sets the action after an end of the guest, of the running guest, of the definition, or of both. Throws
 * "wrong-state", "unsupported" for an action unknown to QEMU or svirt, "xml" for two contradictory actions.
 * qemuDomainSetLifecycleAction() of libvirt
 */
export async function setLifecycleAction(
  instance: Instance,
  ask: Ask,
  wanted: LifecycleAction,
): Promise<Changed> {
  const config = changeFor(wanted);
  const live = settingChange(instance, {
    what: `set the action after ${wanted.type}`,
    decide({ xml: before }) {
      const domain = parseDomainText(before);
      const xml = formatDomain(config(domain));
      // Refuses actions that contradict each other.
      const changed = parseDomainText(xml);
      return { command: setActions(changed), before: setActions(domain), xml, actions: endActions(changed) };
    },
  });
  return await changeDomain(instance, ask, { live, config });
}

/**
 * Returns the change of a domain. virDomainDefLifecycleActionAllowed() and qemuValidateLifecycleAction() of
 * libvirt
 */
function changeFor({ action, type }: LifecycleAction): (domain: Domain) => Domain {
  if (type === "crash") {
    if (action === "destroy" || action === "restart" || action === "preserve")
      return (domain) => ({ ...domain, onCrash: action });
    const why =
      action === "rename-restart"
        ? "qemu driver doesn't support the 'rename-restart' action for 'on_crash'"
        : "svirt does not dump the memory of a guest after a crash";
    throw unsupported(why, "Use destroy, restart or preserve.");
  }
  if (action === "destroy" || action === "restart") {
    const field = type === "poweroff" ? "onPoweroff" : "onReboot";
    return (domain) => ({ ...domain, [field]: action });
  }
  const why = action.startsWith("coredump")
    ? `Lifecycle event '${type}' doesn't support '${action}' action`
    : `qemu driver doesn't support the '${action}' action for 'on_reboot'/'on_poweroff'`;
  throw unsupported(why, "Use destroy or restart.");
}

function unsupported(why: string, remedy: string): SvirtError {
  return new SvirtError(`unsupported configuration: ${why}`, { kind: "unsupported", remedy });
}
