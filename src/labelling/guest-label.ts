import type { Domain } from "../domain/domain.ts";
import { guestSeclabel } from "../domain/machine/guest-seclabel.ts";
import { usesNetwork } from "../domain/uses-network.ts";
import { SvirtError } from "../errors.ts";
import {
  decideDynamicLabel,
  decideStaticLabel,
  type LabelDecision,
  type LabelRequest,
  UNCONFINED,
} from "../label/guest-label.ts";
import type { ClaimRegistry } from "../registry/claims.ts";
import { readPolicyFacts } from "../report/policy-facts.ts";
import { availableLevel, countPairs, rangesFor } from "../selinux/category-pairs.ts";
import { parseContextOrUndefined } from "../selinux/context.ts";
import type { GuestKind } from "../selinux/contexts-files.ts";
import { type Node, registryOf } from "../state/instance.ts";
import { readSettings } from "../state/settings.ts";

/**
 * Decides a guest's label. The caller holds the registry lock, so that no other guest gets the same level meanwhile.
 * `written` is the domain as defined, before missing optional devices were removed. Throws "denied" if the guest may not run
 * like that on this host, "label-taken" if no level is left.
 */
export function decideGuestLabel(node: Node, domain: Domain, written = domain): LabelDecision {
  const request = labelRequest(domain);
  const { mode } = node.host.getSelinux();
  if (request.type === "none") {
    if (!readSettings(node).requireConfined) return UNCONFINED;
    throw new SvirtError("unsupported configuration: Unconfined guests are not allowed on this host", {
      kind: "denied",
      libvirt: "CONFIG_UNSUPPORTED",
      remedy: `Leave <seclabel type='none'/> out, or set security_require_confined = 0 in ${node.paths.config}/svirt.conf.`,
    });
  }
  if (mode === "disabled") throw noSelinux(node);
  const facts = readPolicyFacts(node.host);
  const decision =
    request.type === "static"
      ? decideStaticLabel(request, facts)
      : decideDynamicLabel(request, facts, {
          kind: guestKind(domain, written),
          range: chooseRange(node, domain.uuid, facts.own.range),
        });
  refuseInvalid(node, decision.label, request.type);
  if (decision.relabel) refuseInvalid(node, decision.imageLabel, request.type);
  return decision;
}

/** Returns the label request of the XML, with libvirt's defaults: dynamic, and static without relabelling. */
function labelRequest(domain: Domain): LabelRequest {
  const seclabel = guestSeclabel(domain.seclabels);
  switch (seclabel.type) {
    case "dynamic":
      return { type: "dynamic", relabel: true, label: undefined, baseLabel: seclabel.baselabel };
    case "static":
      return {
        type: "static",
        relabel: seclabel.relabel ?? false,
        label: seclabel.label,
        baseLabel: undefined,
      };
    case "none":
      return { type: "none", relabel: false, label: undefined, baseLabel: undefined };
  }
}

/** Returns the kind of guest. A device that is missing now may come later, so all devices in the XML count. */
function guestKind(domain: Domain, written: Domain): GuestKind {
  const { disks, hostdevs } = written.devices;
  const looksForDevices =
    hostdevs.some(({ type }) => type === "usb") || disks.some(({ type }) => type === "nvme");
  return { virtType: domain.type, hasUserNetwork: usesNetwork(domain), looksForDevices };
}

/** Returns the guest's preferred range, or the next that no guest, no definition and no process has. */
function chooseRange(node: Node, uuid: string, ownRange: string | undefined): string {
  const registry = registryOf(node);
  const level = availableLevel(ownRange);
  const inUse = rangesOfProcesses(node);
  for (const range of rangesFor(uuid, level)) {
    if (!inUse.has(range) && !isReserved(registry, range, uuid)) return range;
  }
  throw new SvirtError(`Cannot choose a level: all ${countPairs(level)} pairs of categories are taken`, {
    kind: "label-taken",
    remedy: "Stop a guest, or run svirt with a wider range of categories.",
  });
}

function isReserved(registry: ClaimRegistry, range: string, uuid: string): boolean {
  const isOthers = (kind: "level" | "static"): boolean =>
    registry.isTaken(kind, range) &&
    registry.listHolders(kind, range).some((holder) => holder.owner !== uuid);
  return isOthers("level") || isOthers("static");
}

/** Lists the ranges of all processes: containers and guests of other tools take their categories from the same set. */
function rangesOfProcesses(node: Node): ReadonlySet<string> {
  const ranges = node.host.listContexts().flatMap((context) => parseContextOrUndefined(context)?.range ?? []);
  return new Set(ranges);
}

function refuseInvalid(node: Node, label: string | undefined, type: LabelRequest["type"]): void {
  if (label === undefined || node.host.isValidContext(label)) return;
  throw new SvirtError(`XML error: Invalid security label ${label}: the loaded policy does not know it`, {
    kind: "denied",
    libvirt: "XML_ERROR",
    remedy:
      type === "static"
        ? "Correct the <label>: its user, role, type and range must fit together in the policy."
        : "Correct the <baselabel>, or see what the policy lacks: svirt doctor",
  });
}

function noSelinux(node: Node): SvirtError {
  return new SvirtError("Cannot confine the guest: the kernel runs without SELinux", {
    kind: "denied",
    remedy:
      "Boot with security=selinux selinux=1 enforcing=1. To run it unconfined all the same, both must say so: " +
      `<seclabel type='none'/> in its XML and security_require_confined = 0 in ${node.paths.config}/svirt.conf.`,
  });
}
