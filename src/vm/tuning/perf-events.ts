import type { Domain } from "../../domain/domain.ts";
import { PERF_EVENTS } from "../../domain/machine/tuning.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import type { Ask, Changed } from "../change/change-domain.ts";
import { changeShares } from "./change-limits.ts";
import { findShown } from "./read-limits.ts";

/** An event that the host may count for a guest. */
export interface PerfEvent {
  readonly name: string;
  readonly isEnabled: boolean;
}

/**
 * Lists all events: a running guest has none. Throws as findShown() does. qemuDomainGetPerfEvents() of
 * libvirt
 */
export function listPerfEvents(instance: Instance, ask: Ask): readonly PerfEvent[] {
  const enabled = new Set(
    (findShown(instance, ask).domain.perf?.events ?? []).flatMap((event) =>
      event.enabled ? [event.name] : [],
    ),
  );
  return PERF_EVENTS.map((name) => ({ name, isEnabled: enabled.has(name) }));
}

/**
 * Disables events. Throws "unsupported" if one is to be enabled, and for an unknown name; the errors of
 * changeDomain(). qemuDomainSetPerfEvents() of libvirt
 */
export async function setPerfEvents(
  instance: Instance,
  ask: Ask,
  events: readonly PerfEvent[],
): Promise<Changed> {
  const known: readonly string[] = PERF_EVENTS;
  const unknown = events.find(({ name }) => !known.includes(name));
  if (unknown !== undefined) throw refused(`parameter '${unknown.name}' not supported`);
  const enabled = events.find(({ isEnabled }) => isEnabled);
  if (enabled !== undefined) throw refused(`unable to enable host cpu perf event for ${enabled.name}`);
  const names = events.map(({ name }) => name);
  return await changeShares(instance, ask, {
    what: "disable performance events",
    change: (domain) => withoutEvents(domain, names),
  });
}

function withoutEvents({ perf, ...rest }: Domain, names: readonly string[]): Domain {
  const events = (perf?.events ?? []).filter(({ name }) => !names.includes(name));
  return events.length === 0 ? rest : { ...rest, perf: { events } };
}

function refused(why: string): SvirtError {
  return new SvirtError(`argument unsupported: ${why}`, {
    kind: "unsupported",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: "Count events on the host itself: perf stat -p PID",
  });
}
