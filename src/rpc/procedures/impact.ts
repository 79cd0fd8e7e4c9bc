import { SvirtError } from "../../errors.ts";
import type { LibvirtDomain } from "../../virterror.ts";
import type { Ask } from "../../vm/change/change-domain.ts";
import type { ImpactOptions } from "../../vm/change/impact.ts";
import { keyOf } from "./objects.ts";

/**
 * virDomainModificationImpact of libvirt's libvirt-domain.h. Neither stands for the guest if it runs, else
 * for the definition.
 */
export const AFFECTS = { live: 1, config: 2 };
/** Both bits. */
export const IMPACT_FLAGS = AFFECTS.live | AFFECTS.config;

/** Returns whether flags mean the running guest, the definition or both. */
export function impactOf(flags: number): ImpactOptions {
  return { live: (flags & AFFECTS.live) !== 0, config: (flags & AFFECTS.config) !== 0 };
}

/** Returns a change of the domain that a call is about. Throws as keyOf() does. */
export function askOf(call: Parameters<typeof keyOf>[0], flags: number): Ask {
  return { key: keyOf(call), options: impactOf(flags), isDryRun: false };
}

/** Returns the form of the domain that a call reads. Throws "usage" for both forms, and as keyOf() does. */
export function readAskOf(call: Parameters<typeof keyOf>[0], flags: number): Ask {
  onlyOneOf(flags, [AFFECTS.live, "VIR_DOMAIN_AFFECT_LIVE"], [AFFECTS.config, "VIR_DOMAIN_AFFECT_CONFIG"]);
  return askOf(call, flags);
}

/**
 * Returns the part of libvirt that has a flag: VIR_FROM_THIS of libvirt-domain-snapshot.c and
 * libvirt-network.c.
 */
function partOf(name: string): LibvirtDomain | undefined {
  if (name.startsWith("VIR_DOMAIN_SNAPSHOT_")) return "DOMAIN_SNAPSHOT";
  return name.startsWith("VIR_NETWORK_") ? "NETWORK" : undefined;
}

/** A flag with its name in libvirt. */
type Flag = readonly [bit: number, name: `VIR_${string}`];

/** Returns which of two flags is set. Throws "usage" for both. VIR_EXCLUSIVE_FLAGS_RET() of libvirt */
export function onlyOneOf(flags: number, first: Flag, second: Flag): "first" | "second" | undefined {
  const [isFirst, isSecond] = [(flags & first[0]) !== 0, (flags & second[0]) !== 0];
  if (isFirst && !isSecond) return "first";
  if (!isFirst) return isSecond ? "second" : undefined;
  throw new SvirtError(`Flags '${first[1]}' and '${second[1]}' are mutually exclusive`, {
    kind: "usage",
    from: partOf(first[1]),
    remedy: "Choose one of them.",
  });
}

/** Refuses a flag without its required flag. Throws "usage". VIR_REQUIRE_FLAG_GOTO() of libvirt */
export function requireFlag(flags: number, flag: Flag, needed: Flag): void {
  if ((flags & flag[0]) === 0 || (flags & needed[0]) !== 0) return;
  throw new SvirtError(`Flag '${needed[1]}' is required by flag '${flag[1]}'`, {
    kind: "usage",
    from: partOf(flag[1]),
    remedy: "Add that flag, or leave the other one out.",
  });
}
