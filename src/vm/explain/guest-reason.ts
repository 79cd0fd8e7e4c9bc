import { shellWord } from "../../report/shell-word.ts";
import { dominates } from "../../selinux/level.ts";
import { wayOfBoolean } from "./boolean.ts";
import type { DenialFacts, Reason } from "./denial-facts.ts";
import { allowRule } from "./describe-denial.ts";
import { sharedStorageReason } from "./storage-reason.ts";

/** Explains why a guest was denied access, by the first reason that applies. */
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

/** A file of the guest that carries another label than svirt set. */
function mislabelled({ denial, file, guest, labelNow, shown }: DenialFacts): Reason | undefined {
  if (file?.given === undefined || file.guest.uuid !== guest?.uuid || file.given === denial.target)
    return undefined;
  const reason = `svirt gave it the label ${file.given}; since then something has labelled it ${denial.target}.`;
  const isMended = labelNow === file.given;
  return {
    reason: isMended ? `${reason} By now it has the right label again.` : reason,
    rule: undefined,
    remedy: isMended
      ? "Find out what relabels files there (restorecon, udev, a backup), and have it leave this one alone."
      : `Label it again: setfattr -n security.selinux -v ${file.given} ${shellWord(shown)}`,
  };
}

/** Access across levels, which separate guests. */
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
      reason: `It is ${owner.name}'s, not ${who}'s: the levels ${target.range} and ${source.range} keep them apart.`,
      rule: undefined,
      remedy: `Allow nothing: this is an attempt to leave the guest. Look at what runs in ${who}.`,
    };
  }
  if (target.type === imageType && file !== undefined) {
    return {
      reason: `It carries the level ${target.range} of a guest that is not there any more.`,
      rule: undefined,
      remedy: `svirt label restore ${shellWord(shown)}`,
    };
  }
  return {
    reason: `It has the level ${target.range}, ${who} has ${source.range}: ${denial.targetClass} of other levels are none of its business.`,
    rule: undefined,
    remedy: `Allow nothing: this is an attempt to leave the guest. Look at what runs in ${who}.`,
  };
}

const NO_CODE: ReadonlySet<string> = new Set(["execmem", "execstack", "execheap", "execmod"]);

function ofProcess(facts: DenialFacts): Reason | undefined {
  const { denial, guest, source, target } = facts;
  const { permissions, targetClass } = denial;
  const who = guest?.name ?? "the guest";
  if (permissions.some((word) => NO_CODE.has(word))) {
    return {
      reason: `QEMU makes code at run time when it emulates the processor, and ${source.type} is for guests that KVM runs.`,
      rule: allowRule(denial, source, target),
      remedy: `If ${who} is to be emulated, write <domain type='qemu'> in its XML${wayOfBoolean(facts, "virt_use_execmem")}. If not, look at what runs in it.`,
    };
  }
  if (targetClass === "anon_inode") {
    return {
      reason: "QEMU looks whether it may use io_uring, and uses threads if it may not.",
      rule: allowRule(denial, source, target),
      remedy: "Nothing is needed: the guest works without.",
    };
  }
  if (!targetClass.startsWith("cap") && !targetClass.startsWith("process")) return undefined;
  return {
    reason: `A guest has no capability, and no other process is its affair.`,
    rule: allowRule(denial, source, target),
    remedy: `Allow nothing: QEMU does not need it. Look at what runs in ${who}.`,
  };
}

function ofNetwork({ denial, guest, source, target }: DenialFacts): Reason | undefined {
  if (!/^(?:tcp|udp|rawip|packet|netlink_\w+|icmp|sctp)_socket$/.test(denial.targetClass)) return undefined;
  const hasNetwork = guest?.domain?.devices.interfaces.some(({ type }) => type === "user") ?? false;
  const who = guest?.name ?? "The guest";
  return {
    reason: hasNetwork
      ? "User networking connects to ports, and does nothing else on the network."
      : `${who} has no user networking, so its QEMU has nothing to do on the network.`,
    rule: allowRule(denial, source, target),
    remedy: hasNetwork
      ? `Allow nothing: look at what runs in ${who}.`
      : `If it is to have it, write <interface type='user'> in its XML; if not, look at what runs in ${who}.`,
  };
}

/** Types of places where disks lie: the guest may legitimately need a file there. */
const DISK_TYPES: ReadonlySet<string> = new Set(
  "default_t fixed_disk_device_t mnt_t public_content_rw_t public_content_t removable_device_t tmp_t tmpfs_t unlabeled_t user_home_t user_tmp_t var_lib_t var_t virt_content_t virt_image_t virt_var_lib_t".split(
    " ",
  ),
);

/** A file that the XML does not name, or that it names without a label for the guest. */
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
      reason: `The XML of ${file.guest.name} names it, that of ${who} does not.`,
      rule,
      remedy: `Allow nothing, unless both are to have it: then list it in the XML of ${who} as well.`,
    };
  }
  if (file !== undefined) {
    return {
      reason: `${who} has it as it is, with a label that ${source.type} may not use in that way.`,
      rule,
      remedy: `Let svirt label it: leave relabel='no' and <label> out of its element, and start ${who} anew.`,
    };
  }
  if (target.range !== undefined && target.type === imageType && /:c/.test(target.range)) return undefined;
  return {
    reason: `It is none of the files that the XML of ${who} names, so svirt has not labelled it.`,
    rule,
    remedy: `If ${who} is to have it, list ${shown} in its XML; if not, look at what runs in it.`,
  };
}

function ofPolicy({ denial, guest, imageType, source, target }: DenialFacts): Reason {
  const rule = allowRule(denial, source, target);
  const isOwn =
    target.type === imageType || target.type === "virt_content_t" || denial.source === denial.target;
  if (isOwn) {
    return {
      reason: "It is the guest's own, and the policy lacks the rule.",
      rule,
      remedy: "Load svirt's policy module, or add the rule to a module of your own: semodule -i FILE.cil",
    };
  }
  return {
    reason: `${target.type} belongs to the host: QEMU needs nothing of it.`,
    rule,
    remedy: `Allow nothing: look at what runs in ${guest?.name ?? `the guest at ${source.range ?? source.type}`}.`,
  };
}
