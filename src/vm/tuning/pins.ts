import type { IdSet } from "../../domain/forms/id-set.ts";
import { pinOf } from "../../plan/decide/threads.ts";
import { listOnlineProcessors } from "../../report/host-processors.ts";
import type { Instance } from "../../state/instance.ts";
import type { Ask } from "../change/change-domain.ts";
import { findShown } from "./read-limits.ts";

/** A virtual CPU, and the processors on which it may run. */
export interface VcpuPin {
  readonly vcpu: number;
  readonly cpus: IdSet;
}

/**
 * Lists the processors for each virtual CPU of a domain, or for one: all if its XML has none. Throws as
 * findShown() does.
 */
export function listVcpuPins(instance: Instance, ask: Ask, vcpu: number | undefined): readonly VcpuPin[] {
  const { domain } = findShown(instance, ask);
  const online = listOnlineProcessors(instance.host);
  return [...Array(domain.vcpu?.count ?? 1).keys()]
    .filter((number) => vcpu === undefined || number === vcpu)
    .map((number) => ({ vcpu: number, cpus: pinOf(domain, { thread: "vcpu", number }) ?? online }));
}

/** Returns the processors for QEMU's other threads: all if the XML has none. Throws as findShown() does. */
export function getEmulatorPin(instance: Instance, ask: Ask): IdSet {
  const { domain } = findShown(instance, ask);
  return pinOf(domain, { thread: "emulator" }) ?? listOnlineProcessors(instance.host);
}
