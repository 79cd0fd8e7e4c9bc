import type { Actor } from "../run/actor.ts";
import { type Instance, registryOf } from "./instance.ts";
import { type GuestRecord, type IdentifiedGuest, identityOf } from "./record.ts";

/** Returns the actor that runs a guest's steps. */
export function actorFor(
  instance: Instance,
  guest: IdentifiedGuest & Partial<Pick<GuestRecord, "bootId">>,
): Actor {
  const { bootId } = guest;
  return {
    host: instance.host,
    registry: registryOf(instance),
    owner: guest.uuid,
    ...identityOf(guest),
    ...(bootId === undefined ? {} : { bootId }),
  };
}
