import type { DenialFacts, Reason } from "./denial-facts.ts";
import { allowRule } from "./describe-denial.ts";
import { guestReason } from "./guest-reason.ts";

/** Explains a denial by its subject. */
export function reasonFor(facts: DenialFacts): Reason {
  if (facts.denial.operation !== undefined) return invalidContext();
  switch (facts.subject) {
    case "guest":
      return guestReason(facts);
    case "probe":
      return ofProbe(facts);
    case "svirt":
      return ofSvirt(facts);
    case "other":
      return ofHost(facts);
  }
}

function invalidContext(): Reason {
  return {
    reason: "The loaded policy does not allow this user, role, type and range together.",
    rule: undefined,
    remedy: "See the policy's faults: svirt doctor",
  };
}

/** Explains a denial of an emulator that svirt has describe itself: no guest is concerned. */
function ofProbe({ source }: DenialFacts): Reason {
  return {
    reason: `svirt's own probe caused it: an emulator that svirt asks for its capabilities runs in ${source.type} at ${source.range}. QEMU answers without it.`,
    rule: undefined,
    remedy: `Allow nothing: no guest is concerned. Inspect the emulator, unless it is a packaged QEMU.`,
  };
}

function ofSvirt({ denial, source, target, shown }: DenialFacts): Reason {
  const rule = allowRule(denial, source, target);
  if (denial.permissions.some((word) => word.startsWith("relabel"))) {
    return {
      reason: `svirt may not relabel objects of type ${target.type}, which is not a type for guests' files.`,
      rule,
      remedy: `Move ${shown} to /var/lib/libvirt/images, or to another folder for images.`,
    };
  }
  return {
    reason: "The denial is for svirt itself.",
    rule,
    remedy: "Load the policy module of this version of svirt, and check it: svirt doctor",
  };
}

function ofHost({ denial, owner, source, target }: DenialFacts): Reason {
  const whose = owner === undefined ? "" : ` It belongs to ${owner.name}.`;
  return {
    reason: `The denial is for a program of the host, not for a guest.${whose}`,
    rule: allowRule(denial, source, target),
    remedy: "If that program needs it, add the rule for its domain.",
  };
}
