import type { Domain } from "../../domain/domain.ts";
import { decideFiles, decideSockets } from "../../labelling/file-labels.ts";
import { decideGuestLabel } from "../../labelling/guest-label.ts";
import { decideTrees } from "../../labelling/tree-labels.ts";
import { planResume } from "../../plan/actions/resume.ts";
import { planStart, type StartDecision } from "../../plan/actions/start.ts";
import type { Incoming } from "../../plan/facts/file.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { LevelOffer } from "../../registry/level-allocator.ts";
import type { CompletedDomain } from "../../resolve/completed-definition.ts";
import { resolveFolders } from "../../resolve/files/shared-folders.ts";
import { listGroupLinks } from "../../resolve/files/vfio.ts";
import { addDisplays, decideDisplays } from "../../resolve/host/displays.ts";
import { filtersOf } from "../../resolve/host/filters.ts";
import { decideLimits } from "../../resolve/host/limits.ts";
import { refuseShortMemory } from "../../resolve/host/refuse-short-memory.ts";
import { addTapNames, decideTaps } from "../../resolve/host/taps.ts";
import { decideTpm } from "../../resolve/host/tpm-emulator.ts";
import { decideVirtiofsd } from "../../resolve/host/virtiofsd.ts";
import type { ResolvedDomain } from "../../resolve/resolve-domain.ts";
import { overlayFolder } from "../../resolve/transient-disks.ts";
import { chooseUid } from "../../state/guest-uid.ts";
import type { Instance } from "../../state/instance.ts";
import { buildGuestCommand } from "./guest-command.ts";
import { hostEnds } from "./host-ends.ts";
import { guestOf, shownXml } from "./used-domain.ts";

/**
 * `written`: the domain before missing optional devices were removed. `completed`: its completed form, with
 * the stored XML. `offer`: the ranges that the guest may get.
 */
export interface Written {
  readonly written: Domain;
  readonly completed: CompletedDomain;
  readonly offer: LevelOffer;
}

/** How a guest begins. */
export interface Beginning {
  /** The guest's vCPUs do not run until they are resumed. */
  readonly isPaused?: boolean;
  /** The saved state that the guest resumes. */
  readonly incoming?: Incoming;
  /** Path of another saved state, which is removed right before the vCPUs run. */
  readonly discards?: string;
}

/** Decides everything about a start: the label, the user, the guest's XML and all steps. Changes nothing. */
export async function decideStart(
  instance: Instance,
  domain: Domain,
  {
    completed,
    discards,
    resolved,
    incoming,
    isPaused = incoming?.resumes === false,
    offer,
    overlays,
    used,
    written,
  }: ResolvedDomain & Written & Beginning,
) {
  const label = decideGuestLabel(instance, domain, { offer, written });
  const uid = chooseUid(instance, domain.uuid);
  const files = decideFiles(instance, label, { uuid: domain.uuid, uid, files: resolved.files });
  const folders = resolveFolders(instance.host, domain);
  const trees = decideTrees(instance, label, {
    uuid: domain.uuid,
    uid,
    folders,
    files: files.map(({ id }) => id),
  });
  const paths = guestPaths(instance.paths, domain.uuid);
  const sockets = decideSockets(label, resolved.sockets, paths.workFolder);
  const findFilter = await filtersOf(instance, domain.devices.interfaces);
  const planned = decideTaps(instance, domain, { label: label.label, uid, findFilter });
  const displays = decideDisplays(instance, domain);
  const isIncoming = incoming !== undefined;
  const limits = decideLimits(instance, domain);
  const facts = { resolved, label, sockets, taps: planned, uid, isIncoming, groupPath: limits.group?.path };
  const { commands, grants, hasTerminals, order, secrets } = buildGuestCommand(
    instance,
    guestOf(completed, used),
    facts,
  );
  refuseShortMemory(instance.host, order.words);
  const base = {
    uid,
    label,
    paths,
    files,
    sockets,
    ...hostEnds(planned),
    displays,
    ...limits,
    grants,
    secrets,
    trees,
    links: listGroupLinks(instance.host, domain),
    overlays: overlays.size === 0 ? undefined : overlayFolder(instance, domain.uuid),
    ...decideHelpers(instance, domain, { label, uid, folders }),
    order,
    commands: isPaused ? commands.filter(({ execute }) => execute !== "cont") : commands,
    hasTerminals,
  };
  const decision: StartDecision = { ...base, ...given(incoming, discards) };
  return {
    label,
    uid,
    xml: shownXml(completed, addDisplays(addTapNames(domain, planned), displays)),
    steps: planStart(decision),
    after: planResume(decision),
    isIncoming,
    isPaused,
  };
}

/** Decides the programs alongside QEMU, and their folders. */
function decideHelpers(instance: Instance, domain: Domain, facts: Parameters<typeof decideVirtiofsd>[2]) {
  const { helpers, assigned } = decideTpm(instance, domain, facts);
  return { assigned, helpers: [...helpers, ...decideVirtiofsd(instance, domain, facts)] };
}

/** Returns the saved states that a start loads and discards, as a part of its decision. */
function given(
  incoming: Incoming | undefined,
  discards: string | undefined,
): Pick<StartDecision, "incoming" | "discards"> {
  return {
    ...(incoming === undefined ? {} : { incoming }),
    ...(discards === undefined ? {} : { discards }),
  };
}
