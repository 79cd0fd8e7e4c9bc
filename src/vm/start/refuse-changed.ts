import { SvirtError } from "../../errors.ts";
import { type Definition, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";

/**
 * Throws "wrong-state" if a definition was changed before its start held the guest's lock: a snapshot may
 * have put other images in it, and the guest would write into those below them.
 */
export function refuseChanged(instance: Instance, definition: Definition | undefined): void {
  const now = definition === undefined ? undefined : readDefinition(instance, definition.name);
  if (now === undefined || now.xml === definition?.xml) return;
  throw new SvirtError(`Cannot start ${now.name}: its definition was changed meanwhile`, {
    kind: "wrong-state",
    remedy: `Start it again: svirt start ${now.name}`,
  });
}
