import { SvirtError } from "../errors.ts";
import { decideFileLabel } from "../label/file-label.ts";
import type { LabelDecision } from "../label/guest-label.ts";
import { FILE_TO_COME, fileKey, type LabelledFile, type PlannedSocket } from "../plan/facts/file.ts";
import { cardSocket } from "../qemu/launch.ts";
import { udevRuleFor } from "../report/udev.ts";
import type { UsedSocket } from "../resolve/files/sockets.ts";
import type { UsedFile } from "../resolve/resolved-file.ts";
import { getFileLabel } from "../run/labels/file-label.ts";
import { isSession, type Node, registryOf } from "../state/instance.ts";
import { originalOf } from "./original-label.ts";
import { ownershipOf } from "./original-owner.ts";
import { refuseInTree } from "./refuse-in-tree.ts";
import { refuseOthersDisk } from "./refuse-others-disk.ts";
import { refuseUnusable } from "./refuse-unusable.ts";
import { labelByOwner } from "./session-label.ts";

/**
 * Decides the label that each file gets and the one that is restored later. The caller holds the registry lock. Throws
 * "label-taken" if the domain uses one file in two ways, or another tool or definition holds it. Throws "denied" for a file
 * that the policy would not let the guest use.
 */
export function decideFiles(
  node: Node,
  label: LabelDecision,
  use: { readonly uuid: string; readonly uid: number; readonly files: readonly UsedFile[] },
): LabelledFile[] {
  refuseOthersDisk(node, use.uuid, use.files);
  const decided = new Map<string, LabelledFile>();
  const free = new Set<string>();
  for (const file of use.files) {
    const { sharing, to: wanted } = decideFileLabel(label, file.role, file.override);
    const to = labelByOwner(node, file, wanted);
    const { id } = file.facts;
    // A file that the start makes is known by its path alone.
    const key = id.inode === FILE_TO_COME.inode ? id.path : fileKey(id);
    const before = decided.get(key);
    if (before !== undefined && (before.to !== to || before.sharing !== sharing)) {
      throw new SvirtError(
        `Cannot label ${file.named}: the domain uses it in two ways that want different labels`,
        {
          kind: "label-taken",
          remedy: "Give the domain a copy of it for one of the two.",
        },
      );
    }
    refuseInTree(node, use.uuid, { ...file, free });
    refuseOtherLabel(node, file, { uuid: use.uuid, to });
    refuseUnusable(node, label, { file, to });
    // An administrator may have given the file the label that the XML names.
    const meant = label.type === "static" ? to : undefined;
    const original = originalOf(node, file, { sharing, to, meant });
    decided.set(key, {
      id,
      to,
      sharing,
      original,
      ownership: ownershipOf(node, file, use.uid),
      // udevd reads only root's rules.
      udevRule: isSession(node) ? undefined : udevRuleFor(node.host, file.facts, use.uuid),
    });
  }
  return [...decided.values()];
}

/** Decides the labels of the guest's sockets, as for its files. A label of the source in the XML overrides the rule. */
export function decideSockets(
  label: LabelDecision,
  sockets: readonly UsedSocket[],
  workFolder: string,
): PlannedSocket[] {
  return sockets.map(({ folder, interface: index, named, override, path, role }) => {
    const { to } = decideFileLabel(label, role, override);
    const target = index === undefined ? {} : { target: cardSocket(workFolder, index) };
    return { named, path, folder, label: to, ...target };
  });
}

/**
 * Throws "label-taken" if another guest uses the file under a different label. A file that one guest only reads must not
 * become writable for another.
 */
export function refuseOtherLabel(
  node: Node,
  file: UsedFile,
  wish: { readonly uuid: string; readonly to: string | undefined },
): void {
  const { id } = file.facts;
  const others = registryOf(node)
    .listHolders("file", fileKey(id))
    .filter(({ owner }) => owner !== wish.uuid);
  const [other] = others;
  if (other === undefined || wish.to === undefined) return;
  const is = getFileLabel(node.host, id);
  if (is === wish.to) return;
  throw new SvirtError(
    `Cannot label ${file.named} ${wish.to}: the guest ${other.owner} uses it as ${is ?? "a file without label"}`,
    {
      kind: "label-taken",
      remedy: `Stop that guest (svirt domname ${other.owner} tells its name), or use the file in the same way; what was detached from it, but is not let go of yet, svirt recover gives free.`,
    },
  );
}
