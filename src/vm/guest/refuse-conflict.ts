import { SvirtError } from "../../errors.ts";
import { guestPaths } from "../../plan/paths.ts";
import { readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { isRunning, readRecords } from "../../state/record.ts";
import { definitionByUuid } from "./find-domain.ts";

/** Throws "in-use" with libvirt's message if the name or the UUID belongs to another domain. */
export function refuseConflict(
  instance: Instance,
  domain: { readonly name: string; readonly uuid: string },
): void {
  // A guest with a held lock is about to run or to end.
  const running = readRecords(instance).filter(
    (guest) =>
      isRunning(instance, guest) || instance.host.isLocked(guestPaths(instance.paths, guest.uuid).lock),
  );
  const others = [
    readDefinition(instance, domain.name),
    definitionByUuid(instance, domain.uuid),
    ...running.filter((guest) => guest.name === domain.name || guest.uuid === domain.uuid),
  ];
  const other = others.find(
    (one) => one !== undefined && (one.name !== domain.name || one.uuid !== domain.uuid),
  );
  if (other === undefined) return;
  throw new SvirtError(`operation failed: domain '${other.name}' already exists with uuid ${other.uuid}`, {
    kind: "in-use",
    libvirt: "OPERATION_FAILED",
    from: "DOMAIN",
    remedy: "Give this domain another name and leave its <uuid> out, or undefine the other domain.",
  });
}
