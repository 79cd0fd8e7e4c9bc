import type { Domain } from "../../domain/domain.ts";
import type { Clock, Timer } from "../../domain/machine/clock.ts";
import { type Arguments, keyValues } from "../argument/argument.ts";
import { formatUtcTime } from "../argument/utc-time.ts";
import type { Launch } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, hostDependent } from "../refusal.ts";

/** QEMU's names of the reference of the guest's clock. */
const CLOCKS = { wall: "host", guest: "vm", realtime: "rt" } as const;

/** Formats -rtc, and the policy for ticks that the guest missed. qemuBuildClockCommandLine() of libvirt */
export function formatClock({ domain }: Guest, launch: Launch | undefined): Arguments {
  const timers = domain.clock?.timers ?? [];
  for (const [index, timer] of timers.entries()) refuseTimer(timer, index);
  const rtc = timerOf(domain, "rtc");
  const pairs = keyValues([
    ["base", clockBase(domain, launch?.nowSeconds)],
    ["clock", rtc?.track && CLOCKS[rtc.track]],
    ["driftfix", rtc?.tickpolicy === "catchup" ? "slew" : undefined],
  ]);
  return ["-rtc", pairs, ...timers.flatMap((timer) => (timer.name === "pit" ? formatPit(timer) : []))];
}

/** Returns the time of the clock at the start. qemuBuildClockArgStr() of libvirt */
function clockBase({ clock }: Domain, nowSeconds: number | undefined): string {
  switch (clock?.offset) {
    case undefined:
      return "utc";
    case "utc":
    case "localtime":
      return clock.offset;
    // The variable TZ sets the zone of QEMU's local time.
    case "timezone":
      return "localtime";
    case "absolute":
      return formatUtcTime(clock.start);
    case "variable":
      return variableBase(clock, nowSeconds);
  }
}

/**
 * Returns the same offset from UTC, or from the host's local time, at each start. A change by the guest lasts
 * until it ends. libvirt reports it to clients and stores it in no definition either.
 */
function variableBase(
  { adjustmentSeconds = 0, basis }: Extract<Clock, { readonly offset: "variable" }>,
  nowSeconds: number | undefined,
): string {
  const offset = "/domain/clock/@offset";
  if (nowSeconds === undefined) {
    throw hostDependent(offset, "the clock depends on the time of the start", "Write utc or localtime.");
  }
  if (basis !== "localtime") return formatUtcTime(nowSeconds + adjustmentSeconds);
  if (adjustmentSeconds === 0) return "localtime";
  throw hostDependent(offset, "svirt does not read the host's offset from UTC", "Write basis='utc'.");
}

/** Returns the timer of that name. */
export function timerOf({ clock }: Domain, name: Timer["name"]): Timer | undefined {
  return clock?.timers.find((timer) => timer.name === name);
}

/** KVM catches up by default. */
function formatPit({ tickpolicy = "delay" }: Timer): Arguments {
  return tickpolicy === "catchup" ? [] : ["-global", `kvm-pit.lost_tick_policy=${tickpolicy}`];
}

/** Settings of each timer of QEMU. */
const SETTINGS: Readonly<Record<Timer["name"], readonly (keyof Timer)[]>> = {
  rtc: ["track", "tickpolicy"],
  pit: ["tickpolicy"],
  hpet: ["present"],
  kvmclock: ["present"],
  hypervclock: ["present"],
  tsc: ["frequency"],
};

function refuseTimer(timer: Timer, index: number): void {
  const path = `/domain/clock/timer[${index + 1}]`;
  const known = SETTINGS[timer.name];
  const strange = (["present", "track", "tickpolicy", "frequency"] as const).find(
    (setting) => timer[setting] !== undefined && timer[setting] !== true && !known.includes(setting),
  );
  if (timer.name === "rtc" && timer.tickpolicy === "discard") {
    throw cannotTranslate(
      `${path}/@tickpolicy`,
      "QEMU's rtc cannot discard ticks",
      "Write delay or catchup.",
    );
  }
  if (strange !== undefined) {
    throw cannotTranslate(
      `${path}/@${strange}`,
      `QEMU's ${timer.name} does not have this setting`,
      "Leave it out.",
    );
  }
}
