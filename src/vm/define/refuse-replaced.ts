import { SvirtError } from "../../errors.ts";
import type { Definition } from "../../state/definitions.ts";
import type { FoundDomain } from "../guest/find-domain.ts";

/**
 * Throws "wrong-state" with virsh's message for a running domain. cmdUndefine() of libvirt's
 * tools/virsh-domain.c
 */
export function refuseRunning({ guest }: FoundDomain): void {
  if (guest === undefined) return;
  throw new SvirtError("Storage volume deletion is supported only on stopped domains", {
    kind: "wrong-state",
    remedy: "Stop it first: svirt destroy DOMAIN",
  });
}

/**
 * Throws "wrong-state" unless a domain is off, and its definition as seen before. The caller holds the
 * registry's lock.
 */
export function refuseOther(domain: FoundDomain, seen: Definition): void {
  refuseRunning(domain);
  const { definition, name } = domain;
  if (definition?.uuid === seen.uuid && definition.xml === seen.xml) return;
  throw new SvirtError(`Cannot undefine ${name}: its definition was changed meanwhile`, {
    kind: "wrong-state",
    remedy: `See which disks it has now: svirt domblklist ${name}`,
  });
}
