import { formatDomain, parseDomainText } from "../../domain/document.ts";
import { domainName } from "../../domain/forms/text.ts";
import { SvirtError } from "../../errors.ts";
import type { ObjectChange } from "../../plan/change/object-change.ts";
import { completedFile } from "../../plan/paths.ts";
import {
  type Definition,
  defineStep,
  isAutostarted,
  markStep,
  readDefinition,
} from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock, withRegistryLock } from "../../state/locks.ts";
import { hasManagedSave } from "../../state/managed-save.ts";
import { readPendingRestart } from "../../state/pending-restart.ts";
import { readRecord, readRecords } from "../../state/record.ts";
import { hasSnapshots } from "../../state/snapshots/snapshots.ts";
import { findDomain } from "../guest/find-domain.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";

/**
 * Gives a domain without a running guest another name. Values derived by its XML from the old name, such as
 * the path of UEFI variables, stay. Throws "not-found", "xml" for an invalid name, "wrong-state" with
 * libvirt's messages. qemuDomainRename() of libvirt
 */
export async function renameDomain(instance: Instance, key: string, name: string): Promise<void> {
  await carryOut(instance, domainRenaming(instance, key, name));
}

/** Returns the change of renameDomain(). Throws "not-found", "xml". */
export function domainRenaming(instance: Instance, key: string, name: string): Change<undefined> {
  const { uuid } = findDomain(instance, key);
  if (domainName.decode(name) === undefined) throw noName(name);
  return {
    kind: "domain",
    // A start takes the guest's lock first too.
    hold: async (node, work) =>
      await withGuestLock(node, uuid, async () => await withRegistryLock(node, work)),
    plan(node) {
      const definition = refuseUnsuited(node, uuid);
      refuseName(node, definition, name);
      const object = { kind: "domain", key: uuid } as const;
      const { commit, steps } = planRenaming(node, definition, name);
      const what = `domrename ${definition.name} ${name}`;
      return { change: { object, what, steps, commit }, result: undefined };
    },
  };
}

/** The removal of the old name decides: before it, the domain has the old name. */
function planRenaming(
  instance: Instance,
  { name: from, uuid, xml }: Definition,
  to: string,
): Pick<ObjectChange, "steps" | "commit"> {
  const renamed = formatDomain({ ...parseDomainText(xml), name: to });
  const marks = (["always", "once"] as const).filter((when) => isAutostarted(instance, from, when));
  const before = [
    defineStep(instance, to, renamed),
    ...marks.map((when) => markStep(instance, to, { when, wanted: true })),
  ];
  const steps = [
    ...before,
    defineStep(instance, from, undefined),
    ...marks.map((when) => markStep(instance, from, { when, wanted: false })),
    // The completed form of the old name.
    { do: "remove-file", path: completedFile(instance.paths, uuid) } as const,
  ];
  return { steps, commit: before.length };
}

function refuseUnsuited(instance: Instance, uuid: string): Definition {
  const { definition, guest, name } = findDomain(instance, uuid);
  if (guest !== undefined)
    throw notValid("cannot rename active domain", `End it first: svirt shutdown ${name}`);
  if (definition === undefined)
    throw notValid("cannot rename a transient domain", "Define it under the new name.");
  if (hasManagedSave(instance, name))
    throw notValid(
      "domain with a managed saved state can't be renamed",
      `Start it, or remove that state: svirt managedsave-remove ${name}`,
    );
  // qemuDomainRenameCallback() of libvirt
  if (hasSnapshots(instance, uuid))
    throw notValid(
      "cannot rename domain with snapshots",
      `Remove their metadata: svirt snapshot-delete ${name} SNAPSHOT --metadata`,
    );
  const isEnding = readRecord(instance, uuid) ?? readPendingRestart(instance, uuid);
  if (isEnding !== undefined)
    throw notValid(
      "domain has to be shutoff before renaming",
      "Repeat the command: the guest is being ended.",
    );
  return definition;
}

/** virDomainObjListRename() of libvirt */
function refuseName(instance: Instance, { name: before }: Definition, name: string): void {
  if (name === before) throw notValid("Can't rename domain to itself", "Give another name.", "DOMAIN");
  const isTaken =
    readDefinition(instance, name) !== undefined ||
    readRecords(instance).some((guest) => guest.name === name) ||
    hasManagedSave(instance, name);
  if (!isTaken) return;
  throw notValid(`domain with name '${name}' already exists`, "Give another name.", "DOMAIN");
}

function noName(name: string): SvirtError {
  const why = name.includes("/")
    ? `name ${name} cannot contain '/'`
    : `${JSON.stringify(name)} is not ${domainName.expects}`;
  return new SvirtError(`XML error: ${why}`, { kind: "xml", from: "QEMU", remedy: "Give another name." });
}

function notValid(why: string, remedy: string, from?: "DOMAIN"): SvirtError {
  return new SvirtError(`Requested operation is not valid: ${why}`, { kind: "wrong-state", from, remedy });
}
