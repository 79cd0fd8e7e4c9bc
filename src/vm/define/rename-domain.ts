import { formatDomain, parseDomainText } from "../../domain/document.ts";
import { domainName } from "../../domain/forms/text.ts";
import { SvirtError } from "../../errors.ts";
import { forgetCompleted } from "../../resolve/completed-definition.ts";
import { type Definition, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock, withRegistryLock } from "../../state/locks.ts";
import { hasManagedSave } from "../../state/managed-save.ts";
import { readPendingRestart } from "../../state/pending-restart.ts";
import { readRecord, readRecords } from "../../state/record.ts";
import { renameDefinition } from "../../state/rename.ts";
import { hasSnapshots, readSnapshotChange } from "../../state/snapshots/snapshots.ts";
import { findDomain } from "../guest/find-domain.ts";

/**
 * Gives a domain that is off another name. What its XML derives from the old one, such as the path of UEFI variables, stays. Throws
 * "not-found", "xml" for a name that is none, "wrong-state" with libvirt's messages. qemuDomainRename() of libvirt
 */
export async function renameDomain(instance: Instance, key: string, name: string): Promise<void> {
  const { uuid } = findDomain(instance, key);
  if (domainName.decode(name) === undefined) throw noName(name);
  // A start takes the guest's lock first too.
  await withGuestLock(instance, uuid, async () => {
    await withRegistryLock(instance, async () => {
      const definition = refuseUnsuited(instance, uuid);
      refuseName(instance, definition, name);
      const xml = formatDomain({ ...parseDomainText(definition.xml), name });
      renameDefinition(instance, { uuid, from: definition.name, to: name, xml });
      forgetCompleted(instance, uuid);
    });
  });
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
  if (hasSnapshots(instance, uuid) || readSnapshotChange(instance, uuid) !== undefined)
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
