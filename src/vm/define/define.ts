import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { listFirmwareFiles } from "../../domain/resources/firmware.ts";
import { SvirtError } from "../../errors.ts";
import type { Claim } from "../../plan/facts/step-parts.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import { forgetCompleted, keepCompleted } from "../../resolve/completed-definition.ts";
import { tpmFolder } from "../../resolve/host/tpm-emulator.ts";
import { isInNvramFolder } from "../../resolve/host-firmware.ts";
import { canonicalContext, parseContextOrUndefined } from "../../selinux/context.ts";
import { pairOf } from "../../selinux/level.ts";
import {
  type Definition,
  readDefinition,
  removeDefinition,
  writeDefinition,
} from "../../state/definitions.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { hasManagedSave, removeManagedSave } from "../../state/managed-save.ts";
import { readRecords } from "../../state/record.ts";
import { removeReason } from "../../state/shutoff-reason.ts";
import { readSnapshots, removeSnapshots } from "../../state/snapshots/snapshots.ts";
import { findDomain } from "../guest/find-domain.ts";
import { refuseConflict } from "../guest/refuse-conflict.ts";
import { refuseOther } from "./refuse-replaced.ts";

/**
 * Stores a domain with all defaults decided; replaces one of the same name. A domain without a UUID gets that of the
 * definition with its name, or a new one. Throws "xml", "unsupported"; "in-use" when name and UUID belong to
 * different domains.
 */
export async function defineDomain(
  instance: Instance,
  bytes: Uint8Array,
): Promise<{ name: string; uuid: string }> {
  const domain = completeDomain(instance, bytes);
  await withRegistryLock(instance, async () => storeDomain(instance, domain));
  return { name: domain.name, uuid: domain.uuid };
}

/** Stores a completed domain. The caller holds the registry's lock. */
export function storeDomain(instance: Instance, domain: Domain): void {
  refuseConflict(instance, domain);
  const registry = registryOf(instance);
  const earlier = readDefinition(instance, domain.name);
  const before = staticClaims(earlier?.xml);
  const xml = formatDomain(domain);
  const claims = staticClaims(xml);
  // If svirt is killed in between, a level may stay claimed without a definition; a defined level is always claimed.
  for (const claim of claims) registry.reserve(claim, domain.uuid);
  const { name, uuid } = domain;
  // virDomainObjNew() of libvirt: a new domain is off for an unknown reason.
  if (earlier === undefined) removeReason(instance, uuid);
  writeDefinition(instance, { name, xml });
  keepCompleted(instance, { name, uuid, xml }, domain);
  for (const claim of before) {
    if (!claims.some(({ key }) => key === claim.key)) registry.release(claim, domain.uuid);
  }
}

/** Treatment of a domain's remaining files. If unset, a domain that has any stays defined. */
export interface Leavings {
  /** Also remove the saved state. */
  readonly managedSave?: boolean;
  /** Also remove the data of its snapshots; their images stay. */
  readonly snapshots?: boolean;
  /** Variables of UEFI. */
  readonly nvram?: "remove" | "keep" | undefined;
  /** Memory of an emulated TPM. If unset, its XML decides. */
  readonly tpm?: "remove" | "keep" | undefined;
  /** Definition with the volumes that are deleted afterwards. A domain that has another one under the lock, or runs, stays defined. */
  readonly seen?: Definition | undefined;
}

/**
 * Removes a domain's definition; a running guest continues as a transient one. Throws "not-found"; "wrong-state" if
 * files remain that `leavings` does not mention, or its definition is no longer `leavings.seen`.
 */
export async function undefineDomain(
  instance: Instance,
  key: string,
  leavings: Leavings = {},
): Promise<{ name: string }> {
  // The lock covers the checks too: they must still hold when files are removed.
  return await withRegistryLock(instance, async () => forget(instance, key, leavings));
}

function forget(
  instance: Instance,
  key: string,
  { managedSave = false, nvram, seen, snapshots = false, tpm }: Leavings,
): { readonly name: string } {
  const domain = findDomain(instance, key);
  if (seen !== undefined) refuseOther(domain, seen);
  const { definition, guest, name, uuid } = domain;
  if (definition === undefined) {
    throw new SvirtError(`Requested operation is not valid: domain '${name}' runs without a definition`, {
      kind: "wrong-state",
      remedy: `End it: svirt destroy ${name}`,
    });
  }
  if (!managedSave && hasManagedSave(instance, name)) {
    throw new SvirtError("Refusing to undefine while domain managed save image exists", {
      kind: "wrong-state",
      remedy: `Remove it with the definition: svirt undefine ${name} --managed-save`,
    });
  }
  if (!snapshots && guest === undefined) refuseSnapshots(instance, { name, uuid });
  const variables = findVariables(instance, definition.xml);
  if (variables !== undefined) refuseVariables(instance, { name, variables, nvram });
  removeManagedSave(instance, name);
  // The end of a running guest removes them.
  if (guest === undefined) removeSnapshots(instance, uuid);
  forgetCompleted(instance, uuid);
  removeDefinition(instance, name);
  if (variables !== undefined && nvram === "remove") instance.host.removeFile(variables);
  for (const claim of staticClaims(definition.xml)) registryOf(instance).release(claim, uuid);
  if (!keepsTpm(instance, definition, tpm)) instance.host.removeFolder(tpmFolder(instance, uuid));
  return { name };
}

/** qemuDomainUndefineFlags() of libvirt */
function refuseSnapshots(
  instance: Instance,
  { name, uuid }: { readonly name: string; readonly uuid: string },
): void {
  const { length } = readSnapshots(instance, uuid).snapshots;
  if (length === 0) return;
  throw new SvirtError(
    `Requested operation is not valid: cannot delete inactive domain with ${length} snapshots`,
    {
      kind: "wrong-state",
      remedy: `Remove their data with the definition: svirt undefine ${name} --snapshots-metadata; their images stay`,
    },
  );
}

/** As qemuDomainUndefineFlags() of libvirt, but removes only files that svirt created. */
function refuseVariables(
  instance: Instance,
  {
    name,
    nvram,
    variables,
  }: Required<Pick<Leavings, "nvram">> & { readonly name: string; readonly variables: string },
): void {
  const stays = "Requested operation is not valid: cannot undefine domain with nvram";
  if (nvram === undefined) {
    throw new SvirtError(stays, {
      kind: "wrong-state",
      remedy: `Remove ${variables} as well: svirt undefine ${name} --nvram; or keep it: --keep-nvram`,
    });
  }
  if (nvram === "keep") return;
  if (!isInNvramFolder(instance, variables)) {
    throw new SvirtError(`${stays} in ${variables}: svirt did not create that file`, {
      kind: "wrong-state",
      remedy: `Remove the file by hand after svirt undefine ${name} --keep-nvram`,
    });
  }
  if (!readRecords(instance).some((guest) => guest.name === name)) return;
  throw new SvirtError(`${stays}: the running guest uses that file`, {
    kind: "wrong-state",
    remedy: `End it first: svirt destroy ${name}; or keep it: --keep-nvram`,
  });
}

/** Returns the path of its file of variables, if that exists. */
function findVariables(instance: Instance, xml: string): string | undefined {
  if (!xml.includes("<nvram")) return undefined;
  const file = listFirmwareFiles(parseDomainText(xml).os).find(({ kind }) => kind === "nvram");
  return file === undefined || instance.host.inspectFile(file.path)?.type !== "file" ? undefined : file.path;
}

/** Returns the level of a static label. While it is defined, no guest with a dynamic label gets it. */
function staticClaims(xml: string | undefined): Claim[] {
  if (xml === undefined || !xml.includes("type='static'")) return [];
  const domain = parseDomainText(xml);
  return domain.seclabels.flatMap((seclabel) => {
    const label = seclabel.type === "static" ? canonicalContext(seclabel.label) : "";
    const range = parseContextOrUndefined(label)?.range;
    return range === undefined || pairOf(range) === undefined
      ? []
      : [{ kind: "static", key: range, sharing: "shared" }];
  });
}

/**
 * Reports whether an emulated TPM's memory stays: a guest uses it, the caller or its XML says so.
 * qemuTPMEmulatorCleanupHost() of libvirt
 */
function keepsTpm(instance: Instance, { uuid, xml }: Definition, tpm: Leavings["tpm"]): boolean {
  if (readRecords(instance).some((guest) => guest.uuid === uuid)) return true;
  if (tpm !== undefined) return tpm === "keep";
  if (!xml.includes("persistent_state='yes'")) return false;
  return parseDomainText(xml).devices.tpms.some(
    ({ backend }) => backend.type === "emulator" && backend.persistentState === true,
  );
}
