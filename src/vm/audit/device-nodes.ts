import { unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { isStale } from "../../labelling/original-label.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { defaultLabelOf, readFileContexts } from "../../report/default-labels.ts";
import { udevRuleFor } from "../../report/udev.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import { parseContextOrUndefined } from "../../selinux/context.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { allSteps } from "../../state/shutoff-reason.ts";

/** Device node of a guest, or with access to the kernel. */
export interface AuditedDevice {
  readonly path: string;
  readonly label: string | undefined;
  /** Name of the guest that has it, alone or shared; undefined for a node of the host. */
  readonly guest: string | undefined;
  /** Undefined: no fault. */
  readonly finding: string | undefined;
}

/**
 * Nodes for guests' access to the kernel, and nodes forbidden to guests. They have the policy's labels unless
 * guests share them.
 */
const GATES = [
  "kvm",
  "vhost-net",
  "vhost-vsock",
  "net/tun",
  "vfio/vfio",
  "userfaultfd",
  "mem",
  "port",
  "kmsg",
];
/** Depth of the search; folders in /dev are never nested more deeply. */
const DEEPEST = 6;

/**
 * Audits each device node with an important label: nodes of guests, the gates, and any with the label of an
 * ended guest.
 */
export function auditDevices(instance: Instance, running: readonly GuestRecord[]): AuditedDevice[] {
  const held = running.flatMap((guest) => heldNodes(instance, guest));
  const paths = new Set(held.map(({ path }) => path));
  const others = [...auditGates(instance), ...findStaleNodes(instance)].filter(
    ({ path }) => !paths.has(path),
  );
  return [...held, ...others];
}

/**
 * Audits a guest's nodes by path. Open files are audited too, but a node created again is a different file.
 */
function heldNodes(instance: Instance, guest: GuestRecord): AuditedDevice[] {
  return allSteps(guest).flatMap((step) => {
    if (step.do !== "set-label" || step.file.node === undefined) return [];
    const { path } = step.file;
    const now = instance.host.inspectFile(path);
    const label = now === undefined ? undefined : getFileLabel(instance.host, now.id);
    const finding = findChange(step, now, label) ?? findMissingRule(instance, guest, now);
    return [{ path, label, guest: guest.name, finding }];
  });
}

function findChange(
  { file, to }: { readonly file: FileFacts["id"]; readonly to: string },
  now: FileFacts | undefined,
  label: string | undefined,
): string | undefined {
  if (now === undefined) return "no longer exists";
  if (fileKey(now.id) !== fileKey(file)) return "has become another device";
  return label === to ? undefined : `should be labelled ${to}`;
}

/** Reports a missing udev rule: udevd was started after the guest, so the guest got none. */
function findMissingRule(
  { host }: Instance,
  { uuid }: GuestRecord,
  now: FileFacts | undefined,
): string | undefined {
  const path = now === undefined ? undefined : udevRuleFor(host, now, uuid)?.path;
  if (path === undefined || host.inspectFile(path) !== undefined) return undefined;
  return "may be relabelled by udevd, since no udev rule keeps its label; restart the guest";
}

function auditGates(instance: Instance): AuditedDevice[] {
  const contexts = readFileContexts(instance.host);
  return GATES.flatMap((name) => {
    const facts = instance.host.inspectFile(`/dev/${name}`);
    if (facts === undefined) return [];
    const wanted = contexts === undefined ? undefined : defaultLabelOf(contexts, facts);
    const label = getFileLabel(instance.host, facts.id);
    const isWrong = wanted !== undefined && typeAndRange(label) !== typeAndRange(wanted);
    return [
      {
        path: facts.id.path,
        label,
        guest: undefined,
        finding: isWrong ? `should be labelled ${wanted}; run restorecon ${facts.id.path}` : undefined,
      },
    ];
  });
}

/** Returns a label without user and role. The user is the labelling process's. */
function typeAndRange(label: string | undefined): string | undefined {
  const { range, type } = (label === undefined ? undefined : parseContextOrUndefined(label)) ?? {};
  return `${type}:${range}`;
}

function findStaleNodes(instance: Instance): AuditedDevice[] {
  // An ordinary user has no nodes, and cannot read all folders.
  const top = isSession(instance) ? undefined : instance.host.inspectFile("/dev");
  if (top === undefined) return [];
  return [...walk(instance, "/dev", { device: top.id.device, deepest: DEEPEST })]
    .filter((facts) => isStale(instance, facts))
    .map(({ id }) => ({
      path: id.path,
      label: getFileLabel(instance.host, id),
      guest: undefined,
      finding: `has the label of a guest that does not use it; run svirt label restore ${id.path}`,
    }));
}

/**
 * Yields the nodes on a file system. Skips symlinks: their targets have paths of their own. Skips entries
 * denied to svirt, such as /dev/core -> /proc/kcore: no label of a guest is denied to it.
 */
function* walk(
  instance: Instance,
  folder: string,
  within: { readonly device: string; readonly deepest: number },
): Generator<FileFacts> {
  if (within.deepest === 0) return;
  for (const name of instance.host.listFolder(folder)) {
    const path = `${folder}/${name}`;
    const facts = unlessRefused(() => instance.host.inspectFile(path));
    if (facts?.id.path !== path || facts.id.device !== within.device) continue;
    if (facts.type === "block" || facts.type === "character") yield facts;
    if (facts.type === "folder") yield* walk(instance, path, { ...within, deepest: within.deepest - 1 });
  }
}
