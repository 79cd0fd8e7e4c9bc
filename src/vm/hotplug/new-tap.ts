import { type Device, type HotDevice, type HotElement, replaceDevice } from "../../domain/device.ts";
import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import type { Domain } from "../../domain/domain.ts";
import {
  type NewTap,
  planFloorChange,
  planRulesChange,
  planShapeChange,
} from "../../plan/actions/hotplug.ts";
import type { ChangeSteps } from "../../plan/change/change-steps.ts";
import { refuseManyRules } from "../../plan/decide/rule-count.ts";
import { decideTap, isTapped } from "../../plan/decide/tap.ts";
import { decideFloor, decideShape, decideTapRules } from "../../plan/decide/tap-rules.ts";
import type { TapRules } from "../../plan/facts/tap.ts";
import type { FreeNames } from "../../qemu/hotplug/family.ts";
import { definedFilters } from "../../resolve/host/defined-filters.ts";
import { hasFilter, refuseHeader, refuseVhost } from "../../resolve/host/filtered-taps.ts";
import { refuseTap } from "../../resolve/host/refuse-privileged.ts";
import { macvtapFacts, nameTap, tapFacts } from "../../resolve/host/taps.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";

type Guest = Pick<GuestRecord, "label" | "steps" | "uid" | "uuid">;

/** Decisions about the tap of a device of a family. */
interface TapFamily<E extends HotElement> {
  decide(
    instance: Instance,
    guest: Guest,
    found: { readonly value: HotDevice<E>; readonly names: FreeNames },
  ): NewTap | undefined;
  /** Returns the device with the name of its tap. */
  addName(value: HotDevice<E>, name: string): HotDevice<E>;
}

/** Taps by family. "none": its devices have none. */
const TAPS: { readonly [E in HotElement]: TapFamily<E> | "none" } = {
  disk: "none",
  controller: "none",
  interface: {
    decide: decideInterface,
    addName: (value, dev) => (isTapped(value) ? { ...value, target: { ...value.target, dev } } : value),
  },
  rng: "none",
  channel: "none",
  hostdev: "none",
};

/**
 * Decides the tap of an interface attached to a running guest; undefined for a device without one. Throws the
 * errors of refuseVhost(), decideTap(), decideTapRules() and refuseManyRules().
 */
export function decideNewTap<E extends HotElement>(
  instance: Instance,
  guest: Guest,
  { device, names }: { readonly device: Device<E>; readonly names: FreeNames },
): NewTap | undefined {
  const family: TapFamily<E> | "none" = TAPS[device.element];
  return family === "none" ? undefined : family.decide(instance, guest, { value: device.value, names });
}

/**
 * Plans another filter and other limits for the tap of a running guest's interface. Throws the errors of
 * refuseTap(), refuseHeader(), refuseVhost(), decideTapRules() and refuseManyRules().
 */
export function planTapChange(
  instance: Instance,
  guest: Guest,
  { old, to }: { readonly old: NetworkInterface; readonly to: NetworkInterface },
): ChangeSteps {
  refuseTap(instance, to, "/interface");
  const { steps, uuid } = guest;
  const tap = old.target?.dev ?? "";
  if (to.filterref !== undefined && old.filterref === undefined) {
    refuseHeader(steps, tap);
    refuseVhost(instance, guest);
  }
  const rules = decideRules(instance, { steps, uuid }, { found: to, tap });
  const changed = planRulesChange(steps, rules, tap);
  const floored = planFloorChange(tap, decideFloor(old), decideFloor(to));
  const shaped = planShapeChange(tap, decideShape(old), decideShape(to));
  return {
    steps: [...changed.steps, ...shaped, ...floored.steps],
    after: [...changed.after, ...floored.after],
  };
}

/** Returns the domain with the name of the device's tap. */
export function addTapName(domain: Domain, device: Device, tap: NewTap | undefined): Domain {
  return tap === undefined ? domain : replaceDevice(domain, device, addName(device, tap.passed.name));
}

function addName<E extends HotElement>(device: Device<E>, name: string): Device<E> {
  const family: TapFamily<E> | "none" = TAPS[device.element];
  return family === "none" ? device : { ...device, value: family.addName(device.value, name) };
}

function decideInterface(
  instance: Instance,
  { label, steps, uid, uuid }: Guest,
  { value, names }: { readonly value: NetworkInterface; readonly names: FreeNames },
): NewTap | undefined {
  if (!isTapped(value)) return undefined;
  refuseTap(instance, value, "/interface");
  const alias = value.alias ?? names.alias;
  const isDirect = value.type === "direct";
  const macvtap = isDirect ? macvtapFacts(instance, { label: label.label, uid }) : {};
  const isFiltered = value.filterref !== undefined || hasFilter(steps);
  if (value.filterref !== undefined) refuseVhost(instance, { label, steps, uid, uuid });
  const tap = decideTap({ ...value, alias }, alias, { ...tapFacts(instance, uuid), ...macvtap, isFiltered });
  return {
    passed: nameTap(tap, (at) => `fd-${alias}-${at}`),
    setup: tap.setup,
    link: tap.link,
    rules: decideRules(instance, { steps, uuid }, { found: value, tap: tap.name }),
    shape: decideShape(value),
    floor: decideFloor(value),
  };
}

/** Decides the rules of a tap, besides the rules of a running guest's other taps. */
function decideRules(
  instance: Instance,
  { steps, uuid }: Pick<GuestRecord, "steps" | "uuid">,
  { found, tap }: { readonly found: NetworkInterface; readonly tap: string },
): readonly TapRules[] {
  const place = "/interface";
  const rules = decideTapRules(found, tap, { uuid, place, findFilter: definedFilters(instance) });
  const others = steps.flatMap((step) =>
    step.do === "set-tap-rules" && step.rules.tap !== tap ? [step.rules] : [],
  );
  refuseManyRules([...others, ...rules], place);
  return rules;
}
