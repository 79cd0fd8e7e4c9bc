import { parseDomainText } from "../../domain/document.ts";
import { listFirmwareFiles } from "../../domain/resources/firmware.ts";
import { SvirtError } from "../../errors.ts";
import { completedFile } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { tpmFolder } from "../../resolve/host/tpm-emulator.ts";
import { isInNvramFolder } from "../../resolve/host-firmware.ts";
import { type Definition, defineStep, isAutostarted, markStep } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { hasManagedSave, managedSavePath } from "../../state/managed-save.ts";
import { readRecords } from "../../state/record.ts";
import { readSnapshots, snapshotsFile } from "../../state/snapshots/snapshots.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { refuseOther } from "./refuse-replaced.ts";
import { staticClaims } from "./static-claims.ts";

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
