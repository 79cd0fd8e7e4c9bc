import { formatDomain } from "../../domain/document.ts";
import { SvirtError, unlessRefused } from "../../errors.ts";
import { decideFileLabel } from "../../label/file-label.ts";
import type { LabelDecision } from "../../label/label-decision.ts";
import { decideGuestLabel } from "../../labelling/guest-label.ts";
import { refuseInMount } from "../../labelling/refuse-in-mount.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { fileKey, PENDING_FILE } from "../../plan/facts/file-key.ts";
import { folderOf } from "../../plan/folder-of.ts";
import type { Step } from "../../plan/steps/step.ts";
import { missing } from "../../resolve/inspect-file.ts";
import { chooseDevicesAgain } from "../../resolve/networks.ts";
import { findPoolMount } from "../../resolve/pool-mount.ts";
import { resolveDomain } from "../../resolve/resolve-domain.ts";
import type { ResolvedFile } from "../../resolve/resolved-file.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import { keepsLabels } from "../../run/labels/machine-marks.ts";
import { runPlan } from "../../run/steps/run-plan.ts";
import { actorFor } from "../../state/actor-for.ts";
import { chooseUid } from "../../state/guest-uid.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { newRecord } from "../../state/new-record.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { type GuestRecord, writeRecord } from "../../state/record.ts";
import { backendOf } from "../../storage/pool/backends/table.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import {
  decideOwnFolders,
  isBelow,
  type OwnFolder,
  type ServerPool,
} from "../../storage/pool/mount/guest-folder.ts";
import { refuseConflict } from "../guest/refuse-conflict.ts";
import { refuseOthersIn } from "./own-folder-users.ts";
import type { MountingStart } from "./own-mounts.ts";

/** Guest's files on servers without labels of files, and the pools with mounts of these servers. */
interface Seen {
  readonly pools: readonly ServerPool[];
  /** All files of the guest below the pools. */
  readonly files: readonly ResolvedFile[];
  /** Private files without labels of their own, which may need the guest's label. */
  readonly unlabelled: readonly ResolvedFile[];
}

/** Steps claiming folders for the guest, and the later steps mounting them. */
interface OwnMounts {
  readonly claims: readonly Step[];
  readonly mounts: readonly Step[];
}

const NO_MOUNTS: OwnMounts = { claims: [], mounts: [] };

/**
 * Decides the mounts of a start, writes its record with them, and claims their folders; undefined if it needs
 * none. Throws "denied" for a file that cannot have the guest's label, "in-use" for a folder with another
 * guest's files.
 */
export async function beginOwnMounts(
  instance: Instance,
  start: MountingStart,
): Promise<(OwnMounts & { readonly record: GuestRecord }) | undefined> {
  const seen = look(instance, start);
  if (seen.unlabelled.length === 0) return undefined;
  return await withRegistryLock(instance, async () => {
    refuseConflict(instance, start.domain);
    const { label, own } = decideMounts(instance, start, seen);
    if (own.mounts.length === 0) return undefined;
    const { observer, taken } = start;
    const domain = chooseDevicesAgain(instance, start.domain);
    const record = newRecord(instance, domain, {
      label,
      uid: chooseUid(instance, domain.uuid),
      steps: [...taken, ...own.claims, ...own.mounts],
      after: [],
      xml: formatDomain(domain),
      isIncoming: false,
    });
    writeRecord(instance, record);
    await runPlan(actorFor(instance, record), own.claims, (moment, step, at) =>
      observer(moment, step, taken.length + at),
    );
    return { ...own, record };
  });
}

/** Returns the steps that would mount folders for the guest. Changes nothing. */
export function planOwnMounts(instance: Instance, start: MountingStart): readonly Step[] {
  const seen = look(instance, start);
  if (seen.unlabelled.length === 0) return [];
  const { claims, mounts } = decideMounts(instance, start, seen).own;
  return [...claims, ...mounts];
}

/** Looks at the guest's files on servers. Holds no lock, since a server may hang. */
function look(instance: Instance, { domain, taken }: MountingStart): Seen {
  const pools = listServerPools(instance);
  if (pools.length === 0) return { pools, files: [], unlabelled: [] };
  const names = new Set(taken.flatMap((step) => (step.do === "bind-vfio" ? [step.device] : [])));
  const { resolved } = resolveDomain(instance, domain, { makeMissing: false, taken: names });
  const files = resolved.files.filter(({ facts }) =>
    pools.some(({ target }) => isBelow(facts.id.path, target)),
  );
  const unlabelled = files.filter(
    ({ facts, role }) => role === "private" && !isMissing(facts.id) && !keeps(instance, facts.id),
  );
  return { pools, files, unlabelled };
}

/**
 * A file created by the start. It has a folder with a mount of its own only if another file needs the mount.
 */
function isMissing({ inode }: FileId): boolean {
  return inode === PENDING_FILE.inode;
}

function keeps({ host }: Instance, id: FileId): boolean {
  return host.withAttributes(id, keepsLabels);
}

/** Lists the pools that are the mount of a server's folder. */
function listServerPools(instance: Instance): readonly ServerPool[] {
  return poolStore.list(instance).flatMap(({ active }) => {
    // A pool that cannot be read keeps no other guest from starting.
    const pool = active === undefined ? undefined : unlessRefused(() => parsePoolText(active));
    const target = pool?.target?.path;
    if (pool === undefined || target === undefined) return [];
    const { mount } = backendOf(pool.type);
    if (mount === "none" || mount.plan === "by the device") return [];
    return findPoolMount(instance.host, pool) === undefined ? [] : [{ target, order: mount.plan(pool) }];
  });
}

function decideMounts(
  instance: Instance,
  { domain, offer, written }: MountingStart,
  { files, pools, unlabelled }: Seen,
): { readonly label: LabelDecision; readonly own: OwnMounts } {
  const { host } = instance;
  const label = decideGuestLabel(instance, domain, { offer, written });
  const { imageLabel, range } = label;
  const needing = unlabelled.filter(
    (file) =>
      imageLabel !== undefined &&
      labelFor(label, file) === imageLabel &&
      getFileLabel(host, file.facts.id) !== imageLabel,
  );
  if (imageLabel === undefined || needing.length === 0) return { label, own: NO_MOUNTS };
  for (const file of needing) refuseInMount(instance, domain.uuid, file);
  const mountPoints = host.listMounts().map(({ path }) => path);
  const paths = needing.map(({ facts }) => facts.id.path);
  const folders = decideOwnFolders(paths, { pools, mountPoints });
  for (const { path } of folders) {
    refuseOthersIn(instance, { path, uuid: domain.uuid });
    refuseOtherLabels(label, files, path);
  }
  const ids = folders.map((folder) => ({ ...folder, id: inspected(instance, folder.path) }));
  // The files are claimed as the pool has them, too: a hard link of one may be in another guest's folder.
  const own = files
    .map(({ facts }) => facts.id)
    .filter((id) => !isMissing(id) && folders.some(({ path }) => isBelow(id.path, path)));
  const level: readonly Step[] =
    range === undefined
      ? []
      : [{ do: "reserve", claim: { kind: "level", key: range, sharing: "exclusive" } }];
  return {
    label,
    own: {
      claims: [...level, ...[...ids.map(({ id }) => id), ...own].map(reserveStep)],
      mounts: ids.map((folder) => mountStep(instance, folder, imageLabel)),
    },
  };
}

function labelFor(label: LabelDecision, { override, role }: ResolvedFile): string | undefined {
  return decideFileLabel(label, role, override).to;
}

function reserveStep(id: FileId): Step {
  return { do: "reserve", claim: { kind: "file", key: fileKey(id), sharing: "exclusive" } };
}

function mountStep(
  instance: Instance,
  { id, order, path }: OwnFolder & { readonly id: FileId },
  label: string,
): Step {
  const { attempts, flags, server, source } = order;
  return {
    do: "mount-folder",
    path,
    above: inspected(instance, folderOf(path)),
    folder: id,
    source,
    label,
    ...(server === undefined ? {} : { server }),
    attempts: attempts.map(({ options, type }) => ({ type, options: [...options] })),
    flags: [...flags],
  };
}

/**
 * Throws "denied" for a folder that a link has replaced since the files were inspected: the mount would be
 * where the link leads.
 */
function inspected({ host }: Instance, path: string): FileId {
  const facts = host.inspectFile(path);
  if (facts === undefined) throw missing(path);
  if (facts.id.path === path) return facts.id;
  throw new SvirtError(`Cannot mount at ${path}: it leads to ${facts.id.path} now`, {
    kind: "denied",
    remedy: "Find the program that replaces folders there, then try again.",
  });
}

/**
 * Throws "denied" for a file in the folder in need of another label: a shared disk, or a disk with a label in
 * the XML.
 */
function refuseOtherLabels(label: LabelDecision, files: readonly ResolvedFile[], folder: string): void {
  for (const file of files) {
    const { id } = file.facts;
    const to = labelFor(label, file);
    const mayBeOwn =
      to === undefined || to === label.imageLabel || (file.role === "content" && file.override === undefined);
    if (!isBelow(id.path, folder) || mayBeOwn) continue;
    throw new SvirtError(
      `Cannot label ${file.named} ${to}: svirt mounts ${folder} for the guest alone, and all files in it have the label ${label.imageLabel}`,
      { kind: "denied", remedy: "Move that file to another folder of the pool." },
    );
  }
}
