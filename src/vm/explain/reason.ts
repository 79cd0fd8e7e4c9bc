import type { DenialFacts, Reason } from "./denial-facts.ts";
import { allowRule } from "./describe-denial.ts";
import { guestReason } from "./guest-reason.ts";

/** Explains a denial by its subject. */
export function reasonFor(facts: DenialFacts): Reason {
  if (facts.denial.operation !== undefined) return invalidContext();
  switch (facts.subject) {
    case "guest":
      return guestReason(facts);
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
    remedy: "See what the policy lacks: svirt doctor",
  };
}

function ofSvirt({ denial, source, target, shown }: DenialFacts): Reason {
  const rule = allowRule(denial, source, target);
  if (denial.permissions.some((word) => word.startsWith("relabel"))) {
    return {
      reason: `svirt may not change the label of what is ${target.type}: that is not where guests' files lie.`,
      rule,
      remedy: `Move ${shown} to /var/lib/libvirt/images, or to another folder for images.`,
    };
  }
  return {
    reason: "svirt itself was denied it.",
    rule,
    remedy: "Load svirt's policy module of this version, and see: svirt doctor",
  };
}

function ofHost({ denial, owner, source, target }: DenialFacts): Reason {
  const whose = owner === undefined ? "" : ` It is ${owner.name}'s.`;
  return {
    reason: `A program of the host was denied it, not a guest.${whose}`,
    rule: allowRule(denial, source, target),
    remedy: "If that program is to do it, give its domain the rule.",
  };
}
