import { SvirtError } from "../errors.ts";
import { refuseWrittenPlace, type WrittenPlace } from "../label/guest-places.ts";
import { isWrittenByGuests, privateRange } from "../report/policy-facts.ts";
import { canonicalContext, parseContext } from "../selinux/context.ts";
import type { Instance } from "../state/instance.ts";

// Rule: The XML of a pool or a volume may request a label.

/** Role of files. */
const FILES = "object_r";

/** Label requested by XML of storage for a file or folder. */
interface RequestedLabel extends Pick<WrittenPlace, "path" | "kind" | "folderLabel"> {
  readonly label: string;
  /** Whether it may be a guest's own label: a mount's label is the only label of its files. */
  readonly isOfMount?: boolean;
  /** Name of the file in messages. */
  readonly what: string;
  /** Place of the label in the XML. */
  readonly place: string;
}

/**
 * Returns a label requested by XML of storage, in the kernel's form; undefined without SELinux. Throws
 * "usage" for an invalid context; "denied" for a label unknown to the policy, a process's label, a label
 * writable by guests, or a label of files closed to guests.
 */
export function requestedLabel({ host }: Instance, requested: RequestedLabel): string | undefined {
  if (host.getSelinux().mode === "disabled") return undefined;
  const label = canonicalContext(requested.label);
  const refused = (why: string): SvirtError => refusal({ ...requested, label }, why);
  if (!host.isValidContext(label)) throw refused("the loaded policy does not define that context");
  if (parseContext(label).role !== FILES) throw refused("it is not a label of files");
  const isPrivate = privateRange(host, label) !== undefined;
  if (isPrivate && requested.isOfMount !== true) throw refused("it is the label of one guest's files");
  if (!isPrivate && isWrittenByGuests(host, label))
    throw refused("guests may write files and folders of its type");
  const { folderLabel, kind, path } = requested;
  refuseWrittenPlace({ path, kind, label, folderLabel, listHomes: () => [] });
  return label;
}

function refusal({ label, place, what }: RequestedLabel, why: string): SvirtError {
  return new SvirtError(`Cannot label ${what} ${label}: ${why}`, {
    kind: "denied",
    remedy: "Write a label for guests' files into <label>, such as system_u:object_r:virt_image_t:s0.",
    place,
  });
}
