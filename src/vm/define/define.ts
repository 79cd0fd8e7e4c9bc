import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { listFirmwareFiles } from "../../domain/resources/firmware.ts";
import { SvirtError } from "../../errors.ts";
import type { Claim } from "../../plan/facts/step-parts.ts";
import { completedFile } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import { keepCompleted } from "../../resolve/completed-definition.ts";
import { tpmFolder } from "../../resolve/host/tpm-emulator.ts";
import { isInNvramFolder } from "../../resolve/host-firmware.ts";
import { canonicalContext, parseContextOrUndefined } from "../../selinux/context.ts";
import { pairOf } from "../../selinux/level.ts";
import {
  type Definition,
  defineStep,
  isAutostarted,
  markStep,
  readDefinition,
  writeDefinition,
} from "../../state/definitions.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { hasManagedSave, managedSavePath } from "../../state/managed-save.ts";
import { readRecords } from "../../state/record.ts";
import { readReason, reasonFile, removeReason } from "../../state/shutoff-reason.ts";
import { readSnapshots, snapshotsFile } from "../../state/snapshots/snapshots.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";
import { refuseConflict } from "../guest/refuse-conflict.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { refuseOther } from "./refuse-replaced.ts";

/**
 * Stores a domain with all defaults decided; replaces a domain of the same name. A domain without a UUID gets
 * the UUID of the definition with its name, or a new UUID. Throws "xml", "unsupported"; "in-use" when name
 * and UUID belong to different domains.
 */
export async function defineDomain(
  instance: Instance,
  bytes: Uint8Array,
): Promise<{ name: string; uuid: string }> {
  return await carryOut(instance, newDefinition(instance, bytes));
}

/** Returns the change of defineDomain(). Throws "xml", "unsupported". */
export function newDefinition(
  instance: Instance,
  bytes: Uint8Array,
): Change<Pick<Definition, "name" | "uuid">> {
  return domainDefinition(completeDomain(instance, bytes));
}

/**
 * Returns the change that stores a completed domain. The callback throws if its definition is not to be
 * replaced.
 */
export function domainDefinition(
  domain: Domain,
  refuse: () => void = () => undefined,
): Change<Pick<Definition, "name" | "uuid">> {
  const { name, uuid } = domain;
  return {
    kind: "domain",
    plan(instance) {
      refuse();
      refuseConflict(instance, domain);
      const earlier = readDefinition(instance, name);
      const xml = formatDomain(domain);
      const { release, reserve } = changedClaims(earlier?.xml, xml);
      const steps: readonly Step[] = [
        ...reserve.map((claim) => ({ do: "reserve", claim }) as const),
        defineStep(instance, name, xml),
        ...release.map((claim) => ({ do: "release", claim }) as const),
        ...(earlier === undefined ? dropReason(instance, uuid) : []),
      ];
      const object = { kind: "domain", key: uuid } as const;
      const change = { object, what: `define ${name}`, steps, commit: reserve.length };
      return { change, result: { name, uuid } };
    },
    refresh: (instance) => keepCompleted(instance, { name, uuid, xml: formatDomain(domain) }, domain),
  };
}

/**
 * Returns the step after which a new domain is off for an unknown reason; none if no reason is stored.
 * virDomainObjNew() of libvirt
 */
function dropReason(instance: Instance, uuid: string): readonly Step[] {
  if (readReason(instance, uuid) === undefined) return [];
  return [{ do: "remove-file", path: reasonFile(instance, uuid) }];
}

/**
 * Returns the step that stores a completed domain, if no other step is needed: its static levels stay as they
 * are. The caller holds the registry's lock. Throws as storeDomain().
 */
export function storingStep(instance: Instance, domain: Domain): Step | undefined {
  refuseConflict(instance, domain);
  const earlier = readDefinition(instance, domain.name);
  const xml = formatDomain(domain);
  const { release, reserve } = changedClaims(earlier?.xml, xml);
  return release.length + reserve.length === 0 ? defineStep(instance, domain.name, xml) : undefined;
}

/** Stores a completed domain. The caller holds the registry's lock. */
export function storeDomain(instance: Instance, domain: Domain): void {
  refuseConflict(instance, domain);
  const registry = registryOf(instance);
  const earlier = readDefinition(instance, domain.name);
  const xml = formatDomain(domain);
  const { release, reserve } = changedClaims(earlier?.xml, xml);
  const { name, uuid } = domain;
  // If svirt is killed in between, a level may stay claimed without a definition.
  for (const claim of reserve) registry.reserve(claim, uuid);
  // virDomainObjNew() of libvirt: a new domain is off for an unknown reason.
  if (earlier === undefined) removeReason(instance, uuid);
  writeDefinition(instance, { name, xml });
  keepCompleted(instance, { name, uuid, xml }, domain);
  for (const claim of release) registry.release(claim, uuid);
}

/** Claims that a new definition adds, and those of the earlier one that it gives up. */
interface ChangedClaims {
  readonly reserve: readonly Claim[];
  readonly release: readonly Claim[];
}

/** Compares the static levels of two definitions of a domain. A defined level is always claimed. */
function changedClaims(earlier: string | undefined, xml: string): ChangedClaims {
  const [before, after] = [staticClaims(earlier), staticClaims(xml)];
  const without = (claims: readonly Claim[], others: readonly Claim[]): readonly Claim[] =>
    claims.filter((claim) => !others.some(({ key }) => key === claim.key));
  return { reserve: without(after, before), release: without(before, after) };
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
  /**
   * Definition with the volumes to be deleted afterwards. A domain with another definition under the lock, or
   * a running domain, stays defined.
   */
  readonly seen?: Definition | undefined;
}

/**
 * Removes a domain's definition; a running guest continues as transient. Throws "not-found"; "wrong-state" if
 * files remain without a mention in `leavings`, or its definition is no longer `leavings.seen`.
 */
export async function undefineDomain(
  instance: Instance,
  key: string,
  leavings: Leavings = {},
): Promise<{ name: string }> {
  return await carryOut(instance, domainRemoval(key, leavings));
}

/** Returns the change of undefineDomain(). */
export function domainRemoval(key: string, leavings: Leavings): Change<{ readonly name: string }> {
  return {
    kind: "domain",
    plan(instance) {
      const { steps, ...domain } = planRemoval(instance, key, leavings);
      const object = { kind: "domain", key: domain.uuid } as const;
      const change = { object, what: `undefine ${domain.name}`, steps, commit: 0 };
      return { change, result: { name: domain.name } };
    },
  };
}

/** Removes the definition first: from then on the rest is removed, too. */
function planRemoval(
  instance: Instance,
  key: string,
  { managedSave = false, nvram, seen, snapshots = false, tpm }: Leavings,
): Pick<Definition, "name" | "uuid"> & { readonly steps: readonly Step[] } {
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
  const removed = variables !== undefined && nvram === "remove" ? [variables] : [];
  const hasTpm = instance.host.inspectFile(tpmFolder(instance, uuid)) !== undefined;
  const steps: readonly Step[] = [
    defineStep(instance, name, undefined),
    ...(["always", "once"] as const)
      .filter((when) => isAutostarted(instance, name, when))
      .map((when) => markStep(instance, name, { when, wanted: false })),
    ...listFiles(instance, domain, removed).map((path) => ({ do: "remove-file", path }) as const),
    ...staticClaims(definition.xml).map((claim) => ({ do: "release", claim }) as const),
    ...(!hasTpm || keepsTpm(instance, definition, tpm)
      ? []
      : [{ do: "remove-folder", path: tpmFolder(instance, uuid) } as const]),
  ];
  return { name, uuid, steps };
}

/** Lists the files that are removed with a definition. */
function listFiles(
  instance: Instance,
  { guest, name, uuid }: Pick<FoundDomain, "guest" | "name" | "uuid">,
  variables: readonly string[],
): readonly string[] {
  return [
    managedSavePath(instance, name),
    // The end of a running guest removes its snapshots.
    ...(guest === undefined ? [snapshotsFile(instance, uuid)] : []),
    completedFile(instance.paths, uuid),
    ...variables,
  ].filter((path) => instance.host.inspectFile(path) !== undefined);
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

/** As qemuDomainUndefineFlags() of libvirt, but removes only files created by svirt. */
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

/** Returns the path of its file of variables, if it exists. */
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
