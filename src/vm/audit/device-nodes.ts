import type { FileFacts } from "../../host/files.ts";
import { isStale } from "../../labelling/original-label.ts";
import { fileKey } from "../../plan/facts/file.ts";
import { defaultLabelOf, readFileContexts } from "../../report/default-labels.ts";
import { udevRuleFor } from "../../report/udev.ts";
import { getFileLabel } from "../../run/labels/file-label.ts";
import { parseContextOrUndefined } from "../../selinux/context.ts";
import { isSession, type Node } from "../../state/instance.ts";
import { allSteps } from "../../state/reason.ts";
import type { GuestRecord } from "../../state/record.ts";

/** Device node that a guest has, or that gives access to the kernel. */
export interface AuditedDevice {
  readonly path: string;
  readonly label: string | undefined;
  /** Name of the guest that has it, alone or shared; undefined for a node of the host. */
  readonly guest: string | undefined;
  /** Undefined: no fault. */
  readonly finding: string | undefined;
}

/**
 * Nodes by which guests reach the kernel, and nodes that no guest may reach. They have the policy's labels unless
 * guests share one.
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
 * Audits each device node whose label matters: those of guests, the gates, and any with the label of a guest that is
 * gone.
 */
export function auditDevices(node: Node, running: readonly GuestRecord[]): AuditedDevice[] {
  const held = running.flatMap((guest) => heldNodes(node, guest));
  const paths = new Set(held.map(({ path }) => path));
  const others = [...auditGates(node), ...findStaleNodes(node)].filter(({ path }) => !paths.has(path));
  return [...held, ...others];
}

/** Audits a guest's nodes by path. Open files are audited too, but a node created again is a different file. */
function heldNodes(node: Node, guest: GuestRecord): AuditedDevice[] {
  return allSteps(guest).flatMap((step) => {
    if (step.do !== "set-label" || step.file.node === undefined) return [];
    const { path } = step.file;
    const now = node.host.inspectFile(path);
    const label = now === undefined ? undefined : getFileLabel(node.host, now.id);
    const finding = findChange(step, now, label) ?? findMissingRule(node, guest, now);
    return [{ path, label, guest: guest.name, finding }];
  });
}

function findChange(
  { file, to }: { readonly file: FileFacts["id"]; readonly to: string },
  now: FileFacts | undefined,
  label: string | undefined,
): string | undefined {
  if (now === undefined) return "is not there any more";
  if (fileKey(now.id) !== fileKey(file)) return "stands for another device by now";
  return label === to ? undefined : `should be labelled ${to}`;
}

/** Reports a missing udev rule: udevd was started after the guest, which got none. */
function findMissingRule(
  { host }: Node,
  { uuid }: GuestRecord,
  now: FileFacts | undefined,
): string | undefined {
  const path = now === undefined ? undefined : udevRuleFor(host, now, uuid)?.path;
  if (path === undefined || host.inspectFile(path) !== undefined) return undefined;
  return "may be labelled anew by udevd: no rule keeps its label; start the guest anew";
}

function auditGates(node: Node): AuditedDevice[] {
  const contexts = readFileContexts(node.host);
  return GATES.flatMap((name) => {
    const facts = node.host.inspectFile(`/dev/${name}`);
    if (facts === undefined) return [];
    const wanted = contexts === undefined ? undefined : defaultLabelOf(contexts, facts);
    const label = getFileLabel(node.host, facts.id);
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

/** Returns a label without user and role. The user is that of the process that labelled the node. */
function typeAndRange(label: string | undefined): string | undefined {
  const { range, type } = (label === undefined ? undefined : parseContextOrUndefined(label)) ?? {};
  return `${type}:${range}`;
}

function findStaleNodes(node: Node): AuditedDevice[] {
  // An ordinary user has no nodes, and may not read all folders.
  const top = isSession(node) ? undefined : node.host.inspectFile("/dev");
  if (top === undefined) return [];
  return [...walk(node, "/dev", { device: top.id.device, deepest: DEEPEST })]
    .filter((facts) => isStale(node, facts))
    .map(({ id }) => ({
      path: id.path,
      label: getFileLabel(node.host, id),
      guest: undefined,
      finding: `carries the label of a guest that does not use it; run svirt label restore ${id.path}`,
    }));
}

/** Yields the nodes on one file system. Skips symlinks: their targets have paths of their own. */
function* walk(
  node: Node,
  folder: string,
  within: { readonly device: string; readonly deepest: number },
): Generator<FileFacts> {
  if (within.deepest === 0) return;
  for (const name of node.host.listFolder(folder)) {
    const path = `${folder}/${name}`;
    const facts = node.host.inspectFile(path);
    if (facts?.id.path !== path || facts.id.device !== within.device) continue;
    if (facts.type === "block" || facts.type === "character") yield facts;
    if (facts.type === "folder") yield* walk(node, path, { ...within, deepest: within.deepest - 1 });
  }
}
