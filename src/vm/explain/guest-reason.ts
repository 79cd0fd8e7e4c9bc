import { shellWord } from "../../report/shell-word.ts";
import { dominates } from "../../selinux/level.ts";
import { wayOfBoolean } from "./boolean.ts";
import type { DenialFacts, Reason } from "./denial-facts.ts";
import { allowRule } from "./describe-denial.ts";
import { sharedStorageReason } from "./storage-reason.ts";

/** Explains a guest's denied access, by the first applicable reason. */
export function guestReason(facts: DenialFacts): Reason {
  return (
    mislabelled(facts) ??
    otherLevel(facts) ??
    sharedStorageReason(facts) ??
    ofProcess(facts) ??
    ofNetwork(facts) ??
    unlisted(facts) ??
    ofPolicy(facts)
  );
}

/** A file of the guest with a label other than svirt's. */
function mislabelled({ denial, file, guest, labelNow, shown }: DenialFacts): Reason | undefined {
  if (file?.given === undefined || file.guest.uuid !== guest?.uuid || file.given === denial.target)
    return undefined;
  const reason = `svirt gave it the label ${file.given}; afterwards another program labelled it ${denial.target}.`;
  const isMended = labelNow === file.given;
  return {
    reason: isMended ? `${reason} It has the right label again.` : reason,
    rule: undefined,
    remedy: isMended
      ? "Find the program that relabels files there (restorecon, udev, a backup), and exclude this file."
      : `Label it again: setfattr -n security.selinux -v ${file.given} ${shellWord(shown)}`,
  };
}

/** Access across levels, the separation of guests. */
function otherLevel({
  denial,
  file,
  guest,
  owner,
  source,
  target,
  shown,
  imageType,
}: DenialFacts): Reason | undefined {
  if (source.range === undefined || target.range === undefined || dominates(source.range, target.range))
    return undefined;
  const who = guest?.name ?? `the guest at ${source.range}`;
  if (owner !== undefined) {
    return {
      reason: `It belongs to ${owner.name}, not to ${who}: the levels ${target.range} and ${source.range} separate the guests.`,
      rule: undefined,
      remedy: `Allow nothing: this is an attempt to escape from the guest. Inspect the programs in ${who}.`,
    };
  }
  if (target.type === imageType && file !== undefined) {
    return {
      reason: `It has the level ${target.range} of a guest that has ended.`,
      rule: undefined,
      remedy: `svirt label restore ${shellWord(shown)}`,
    };
  }
  return {
    reason: `It has the level ${target.range}, ${who} has ${source.range}: a guest may not use a ${denial.targetClass} of another level.`,
    rule: undefined,
    remedy: `Allow nothing: this is an attempt to escape from the guest. Inspect the programs in ${who}.`,
  };
}

const NO_CODE: ReadonlySet<string> = new Set(["execmem", "execstack", "execheap", "execmod"]);

function ofProcess(facts: DenialFacts): Reason | undefined {
  const { denial, guest, source, target } = facts;
  const { permissions, targetClass } = denial;
  const who = guest?.name ?? "the guest";
  if (permissions.some((word) => NO_CODE.has(word))) {
    return {
      reason: `QEMU generates code when it emulates the processor, and ${source.type} is for KVM guests.`,
      rule: allowRule(denial, source, target),
      remedy: `If ${who} is to be emulated, write <domain type='qemu'> in its XML${wayOfBoolean(facts, "virt_use_execmem")}. If not, inspect the programs in it.`,
    };
  }
  if (targetClass === "anon_inode") {
    return {
      reason: "QEMU checks whether it may use io_uring, and uses threads otherwise.",
      rule: allowRule(denial, source, target),
      remedy: "Do nothing: the guest works without it.",
    };
  }
  if (!targetClass.startsWith("cap") && !targetClass.startsWith("process")) return undefined;
  return {
    reason: `A guest has no capabilities and may not access other processes.`,
    rule: allowRule(denial, source, target),
    remedy: `Allow nothing: QEMU does not need it. Inspect the programs in ${who}.`,
  };
}

function ofNetwork({ denial, guest, source, target }: DenialFacts): Reason | undefined {
  if (!/^(?:tcp|udp|rawip|packet|netlink_\w+|icmp|sctp)_socket$/.test(denial.targetClass)) return undefined;
  const hasNetwork = guest?.domain?.devices.interfaces.some(({ type }) => type === "user") ?? false;
  const who = guest?.name ?? "The guest";
  return {
    reason: hasNetwork
      ? "User networking only connects to ports."
      : `${who} has no user networking, so its QEMU does not need the network.`,
    rule: allowRule(denial, source, target),
    remedy: hasNetwork
      ? `Allow nothing. Inspect the programs in ${who}.`
      : `If the guest needs it, write <interface type='user'> in its XML; if not, inspect the programs in ${who}.`,
  };
}

/** Types of folders that contain disks: the guest may legitimately need a file there. */
const DISK_TYPES: ReadonlySet<string> = new Set(
  "default_t fixed_disk_device_t mnt_t public_content_rw_t public_content_t removable_device_t tmp_t tmpfs_t unlabeled_t user_home_t user_tmp_t var_lib_t var_t virt_content_t virt_image_t virt_var_lib_t".split(
    " ",
  ),
);

/** A file absent from the XML, or named there without a label for the guest. */
function unlisted({
  denial,
  file,
  guest,
  imageType,
  source,
  target,
  shown,
}: DenialFacts): Reason | undefined {
  const isDisk = DISK_TYPES.has(target.type) || target.type === imageType;
  if (!isDisk || !/_file$|^(?:file|dir)$/.test(denial.targetClass)) return undefined;
  const who = guest?.name ?? "the guest";
  const rule = allowRule(denial, source, target);
  if (file !== undefined && file.guest.uuid !== guest?.uuid) {
    return {
      reason: `The XML of ${file.guest.name} names it; the XML of ${who} does not.`,
      rule,
      remedy: `Allow nothing, unless both guests need it: then list it in the XML of ${who} as well.`,
    };
  }
  if (file !== undefined) {
    return {
      reason: `svirt passed it to ${who} without a new label, and ${source.type} may not use its label in that way.`,
      rule,
      remedy: `Let svirt label it: leave relabel='no' and <label> out of its element, and restart ${who}.`,
    };
  }
  if (target.range !== undefined && target.type === imageType && /:c/.test(target.range)) return undefined;
  return {
    reason: `The XML of ${who} does not name it, so svirt did not label it.`,
    rule,
    remedy: `If ${who} needs it, list ${shown} in its XML; if not, inspect the programs in it.`,
  };
}

function ofPolicy({ denial, guest, imageType, source, target }: DenialFacts): Reason {
  const rule = allowRule(denial, source, target);
  const isOwn =
    target.type === imageType || target.type === "virt_content_t" || denial.source === denial.target;
  if (isOwn) {
    return {
      reason: "It belongs to the guest, and the policy lacks the rule.",
      rule,
      remedy: "Load svirt's policy module, or add the rule to a module of your own: semodule -i FILE.cil",
    };
  }
  return {
    reason: `${target.type} belongs to the host: QEMU does not need it.`,
    rule,
    remedy: `Allow nothing. Inspect the programs in ${guest?.name ?? `the guest at ${source.range ?? source.type}`}.`,
  };
}
