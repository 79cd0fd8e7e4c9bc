import type { Actor } from "../run/actor.ts";
import { type Instance, registryOf } from "./instance.ts";
import { type GuestRecord, type IdentifiedGuest, identityOf } from "./record.ts";

/** Returns the actor of a guest's steps. */
export function actorFor(
  instance: Instance,
  guest: IdentifiedGuest & Partial<Pick<GuestRecord, "bootId" | "process">>,
): Actor {
  const { bootId, process } = guest;
  // After another boot the number is another process's.
  const isThisBoot = bootId !== undefined && bootId === instance.host.getBootId();
  return {
    host: instance.host,
    registry: registryOf(instance),
    owner: guest.uuid,
    ...identityOf(guest),
    ...(bootId === undefined ? {} : { bootId }),
    ...(process !== undefined && isThisBoot ? { process } : {}),
  };
}
