import { SvirtError } from "../../errors.ts";
import { refuseWrittenPlace } from "../../label/guest-places.ts";
import { privateRange } from "../../report/policy-facts.ts";
import { canonicalContext, parseContext } from "../../selinux/context.ts";
import type { Instance } from "../../state/instance.ts";
import type { PoolTarget } from "../../storage/pool/keep-pool.ts";

/** Role of files. */
const FILES = "object_r";

/**
 * Returns the label that a pool's XML gives to its folder; undefined without one, or without SELinux. Throws "usage" for a text
 * that is no context; "denied" for a label that the policy does not know, a process's, a guest's own, or one of files that no
 * guest may write.
 */
export function targetLabel({ host }: Instance, { path, permissions = {} }: PoolTarget): string | undefined {
  if (permissions.label === undefined || host.getSelinux().mode === "disabled") return undefined;
  const label = canonicalContext(permissions.label);
  if (!host.isValidContext(label)) throw refused(label, "the loaded policy does not define that context");
  if (parseContext(label).role !== FILES) throw refused(label, "it is not a label of files");
  if (privateRange(host, label) !== undefined) throw refused(label, "it is the label of one guest's files");
  refuseWrittenPlace({ path, kind: "folder", label, folderLabel: undefined, listHomes: () => [] });
  return label;
}

function refused(label: string, why: string): SvirtError {
  return new SvirtError(`Cannot label the folder of a storage pool ${label}: ${why}`, {
    kind: "denied",
    remedy: "Write a label for guests' files into <label>, such as system_u:object_r:virt_image_t:s0.",
    place: "/pool/target/permissions/label",
  });
}
