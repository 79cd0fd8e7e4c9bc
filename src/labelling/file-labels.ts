import { SvirtError } from "../errors.ts";
import { decideFileLabel, type FileLabel } from "../label/file-label.ts";
import type { LabelDecision } from "../label/label-decision.ts";
import type { LabelledFile, PlannedSocket } from "../plan/facts/file.ts";
import { fileKey, PENDING_FILE } from "../plan/facts/file-key.ts";
import { cardSocket } from "../qemu/launch.ts";
import { udevRuleFor } from "../report/udev.ts";
import type { ResolvedSocket } from "../resolve/files/sockets.ts";
import type { ResolvedFile } from "../resolve/resolved-file.ts";
import { getFileLabel } from "../run/labels/get-file-label.ts";
import { type Instance, isSession, registryOf } from "../state/instance.ts";
import { decideMark, givenFormats, keyOf } from "./format-marks.ts";
import { isOfGuestsMount } from "./held-elsewhere.ts";
import { originalOf } from "./original-label.ts";
import { ownershipOf } from "./original-owner.ts";
import { refuseInMount } from "./refuse-in-mount.ts";
import { refuseInTree } from "./refuse-in-tree.ts";
import { refuseOthersDisk } from "./refuse-others-disk.ts";
import { refuseRelated } from "./refuse-related.ts";
import { refuseUnusable } from "./refuse-unusable.ts";
import { labelByOwner } from "./session-label.ts";

/**
 * Decides the label of each file and the label restored later. The caller holds the registry lock. Throws
 * "in-use" if the domain uses a file in two ways, or another tool or definition holds it. Throws "denied" for
 * a file forbidden to the guest by the policy.
 */
export function decideFiles(
  instance: Instance,
  label: LabelDecision,
  use: { readonly uuid: string; readonly uid: number; readonly files: readonly ResolvedFile[] },
): LabelledFile[] {
  refuseOthersDisk(instance, use.uuid, use.files);
  const decided = new Map<string, LabelledFile>();
  const formats = givenFormats(use.files);
  const free = new Set<string>();
  for (const file of use.files) {
    const { sharing, to: wanted } = labelOf(instance, label, file);
    const to = labelByOwner(instance, file, wanted);
    const { id } = file.facts;
    const key = keyOf(id);
    const before = decided.get(key);
    if (before !== undefined && (before.to !== to || before.sharing !== sharing)) {
      throw new SvirtError(
        `Cannot label ${file.named}: the domain uses that file in two ways that require different labels`,
        {
          kind: "in-use",
          remedy: "Give the domain a copy of the file for one of them.",
        },
      );
    }
    refuseInTree(instance, use.uuid, { ...file, free });
    refuseInMount(instance, use.uuid, file);
    refuseOtherLabel(instance, file, { uuid: use.uuid, to });
    refuseRelated(instance, file, { uuid: use.uuid, to, sharing });
    refuseUnusable(instance, label, { file, to });
    // An administrator may have given the file the label named in the XML.
    const meant = label.type === "static" ? to : undefined;
    const original = originalOf(instance, file, { sharing, to, meant });
    decided.set(key, {
      id,
      to,
      sharing,
      original,
      mark: decideMark(instance, id, formats.get(key)),
      ownership: ownershipOf(instance, file, use.uid),
      // udevd reads only root's rules.
      udevRule: isSession(instance) ? undefined : udevRuleFor(instance.host, file.facts, use.uuid),
    });
  }
  return [...decided.values()];
}

/**
 * All files of a folder mounted for the guest alone have its label: even a read-only image is its own there.
 */
function labelOf(instance: Instance, label: LabelDecision, file: ResolvedFile): FileLabel {
  const { facts, override, role } = file;
  const { range } = label;
  const mayBeOwn =
    role === "content" &&
    override === undefined &&
    range !== undefined &&
    facts.id.inode !== PENDING_FILE.inode;
  const isOwn =
    mayBeOwn &&
    registryOf(instance).isTaken("level", range) &&
    getFileLabel(instance.host, facts.id) === label.imageLabel &&
    isOfGuestsMount(instance, { id: facts.id, range });
  return decideFileLabel(label, isOwn ? "private" : role, override);
}

/**
 * Decides the labels of the guest's sockets, as for its files. A label of the source in the XML overrides the
 * rule.
 */
export function decideSockets(
  label: LabelDecision,
  sockets: readonly ResolvedSocket[],
  workFolder: string,
): PlannedSocket[] {
  return sockets.map(({ folder, interface: index, named, override, path, role }) => {
    const { to } = decideFileLabel(label, role, override);
    const target = index === undefined ? {} : { target: cardSocket(workFolder, index) };
    return { named, path, folder, label: to, ...target };
  });
}

/**
 * Throws "in-use" if another guest uses the file under a different label. A guest's read-only file must not
 * become writable for another.
 */
export function refuseOtherLabel(
  instance: Instance,
  file: ResolvedFile,
  options: { readonly uuid: string; readonly to: string | undefined },
): void {
  const { id } = file.facts;
  const [other] = registryOf(instance).listOthers({ kind: "file", key: fileKey(id) }, options.uuid);
  if (other === undefined || options.to === undefined) return;
  const is = getFileLabel(instance.host, id);
  if (is === options.to) return;
  throw new SvirtError(
    `Cannot label ${file.named} ${options.to}: the guest ${other.owner} uses that file as ${is ?? "a file without label"}`,
    {
      kind: "in-use",
      remedy: `Stop that guest (its name: svirt domname ${other.owner}), or use the file in the same way. If it was detached from that guest, run svirt recover.`,
    },
  );
}
