import type { Domain } from "../domain/domain.ts";
import { usesNetwork } from "../domain/uses-network.ts";
import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { LabelDecision } from "../label/label-decision.ts";
import { type LabelRequest, requestOf } from "../label/label-request.ts";
import { chooseRange, type LevelOffer } from "../registry/level-allocator.ts";
import { type HostModel, modelOn } from "../report/label-models.ts";
import { parseContextOrUndefined } from "../selinux/context.ts";
import type { GuestKind } from "../selinux/contexts-files.ts";
import type { Level } from "../selinux/level.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { readSettings } from "../state/settings.ts";

// Rule: A label that the policy does not know is refused.
// Rule: An unconfined guest needs the administrator's permission in the settings.

/** Choices of a start for its label. */
interface LabelChoice {
  /** Ranges open to the guest. guest-level.ts */
  readonly offer: LevelOffer;
  /** Domain as defined, before missing optional devices were removed. */
  readonly written?: Domain;
}

/**
 * Decides a guest's label. The caller holds the registry lock, so that no other guest gets the same level in
 * the meantime. Throws "denied" if this host does not permit such a guest, "in-use" if no level is left.
 */
export function decideGuestLabel(
  instance: Instance,
  domain: Domain,
  { offer, written = domain }: LabelChoice,
): LabelDecision {
  const request = requestOf(domain);
  const model = modelFor(instance, request);
  const level = model.levelFor(request.type);
  const decision = model.decide(request, {
    kind: guestKind(domain, written),
    range: level === undefined ? undefined : chooseRange(offer, localUse(instance, domain.uuid, level)),
  });
  refuseInvalid(model, decision.label, request.type);
  if (decision.relabel) refuseInvalid(model, decision.imageLabel, request.type);
  return decision;
}

/**
 * Returns the level from which a guest with a dynamic label gets a pair of categories. Throws "denied" as
 * decideGuestLabel() does.
 */
export function levelOf(instance: Instance, domain: Domain): Level {
  const request = requestOf(domain);
  const level = modelFor(instance, request).levelFor(request.type);
  if (level === undefined) throw new Error(`a level is asked for a ${request.type} label`);
  return level;
}

/**
 * Returns the model of a guest. Throws "denied" if the host does not have it or the settings do not allow it.
 */
function modelFor(instance: Instance, request: LabelRequest): HostModel {
  const settings = `${instance.paths.config}/svirt.conf`;
  if (request.type === "none" && readSettings(instance).requireConfined) throw notAllowed(settings);
  const model = modelOn(instance.host, request.model);
  if (!model.isAvailable()) throw model.unavailable(settings);
  return model;
}

function notAllowed(settings: string): SvirtError {
  return new SvirtError("unsupported configuration: Unconfined guests are not allowed on this host", {
    kind: "denied",
    libvirt: "CONFIG_UNSUPPORTED",
    remedy: `Leave <seclabel type='none'/> out, or set security_require_confined = 0 in ${settings}.`,
  });
}

/**
 * Returns the kind of guest. A device that is missing now may come later, so all devices in the XML count.
 */
function guestKind(domain: Domain, written: Domain): GuestKind {
  const { disks, hostdevs } = written.devices;
  const looksForDevices =
    hostdevs.some(({ type }) => type === "usb") || disks.some(({ type }) => type === "nvme");
  return { virtType: domain.type, hasUserNetwork: usesNetwork(domain), looksForDevices };
}

function localUse(instance: Instance, uuid: string, level: Level) {
  const registry = registryOf(instance);
  const ofMounts = rangesOfMounts(instance.host);
  // The start has mounted a folder for the guest, with the range that it holds since.
  const own = ofMounts.find((range) =>
    registry.listHolders("level", range).some(({ owner }) => owner === uuid),
  );
  return { uuid, level, registry, own, inUse: new Set([...rangesOfProcesses(instance), ...ofMounts]) };
}

/**
 * Lists the ranges of all processes: containers and guests of other tools take their categories from the same
 * set.
 */
function rangesOfProcesses(instance: Instance): readonly string[] {
  return instance.host.listContexts().flatMap((context) => parseContextOrUndefined(context)?.range ?? []);
}

function refuseInvalid(model: HostModel, label: string | undefined, type: LabelRequest["type"]): void {
  if (label === undefined || model.knows(label)) return;
  throw new SvirtError(`XML error: Invalid security label ${label}: the loaded policy does not define it`, {
    kind: "denied",
    libvirt: "XML_ERROR",
    remedy:
      type === "static"
        ? "Correct the <label>: its user, role, type and range must fit together in the policy."
        : "Correct the <baselabel>, or check the policy: svirt doctor",
  });
}

/**
 * The kernel quotes a context with a comma, as that of a pair of categories. show_sid() in
 * security/selinux/hooks.c of Linux
 */
const CONTEXT = /[ ,]context="([^"]*)"/g;

/** Lists the ranges of mounts without labels of files: they belong to a single guest with a static label. */
function rangesOfMounts(host: Host): readonly string[] {
  const mounts = host.readText("/proc/self/mountinfo") ?? "";
  return [...mounts.matchAll(CONTEXT)].flatMap(
    ([, context = ""]) => parseContextOrUndefined(context)?.range ?? [],
  );
}
