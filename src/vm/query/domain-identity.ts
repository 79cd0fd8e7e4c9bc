import type { Instance } from "../../state/instance.ts";
import { findDomain } from "../guest/find-domain.ts";

/** The three names of a domain, by each of which a command finds it. */
export interface DomainIdentity {
  /** Undefined if the domain is off. */
  readonly id: number | undefined;
  readonly name: string;
  readonly uuid: string;
}

/** Returns a domain's id, name and UUID. Throws "not-found". */
export function getIdentity(instance: Instance, key: string): DomainIdentity {
  const { guest, name, uuid } = findDomain(instance, key);
  return { id: guest?.id, name, uuid };
}
