import type { Domain } from "../../domain/domain.ts";
import type { Clock, Timer } from "../../domain/machine/clock.ts";
import { keyValues, type Words } from "../argument/argument.ts";
import { formatUtcTime } from "../argument/utc-time.ts";
import type { Launch } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, notSettled } from "../refusal.ts";

/** QEMU's word for the clock that the guest's one follows. */
const CLOCKS = { wall: "host", guest: "vm", realtime: "rt" } as const;

/** -rtc, and what becomes of ticks that the guest missed. qemuBuildClockCommandLine() of libvirt */
export function formatClock({ domain }: Guest, launch: Launch | undefined): Words {
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

/** What the clock says at the start. qemuBuildClockArgStr() of libvirt */
function clockBase({ clock }: Domain, nowSeconds: number | undefined): string {
  switch (clock?.offset) {
    case undefined:
      return "utc";
    case "utc":
    case "localtime":
      return clock.offset;
    // In which zone QEMU's local time is, the variable TZ says.
    case "timezone":
      return "localtime";
    case "absolute":
      return formatUtcTime(clock.start);
    case "variable":
      return variableBase(clock, nowSeconds);
  }
}

/**
 * So far from UTC, or from the host's own time, at each start. What a guest adds to its clock it keeps until it ends; the
 * reference tells those who ask to be told, and keeps it in no definition either.
 */
function variableBase(
  { adjustmentSeconds = 0, basis }: Extract<Clock, { readonly offset: "variable" }>,
  nowSeconds: number | undefined,
): string {
  const offset = "/domain/clock/@offset";
  if (nowSeconds === undefined) {
    throw notSettled(
      offset,
      "what the clock says depends on when the guest starts",
      "Write utc or localtime.",
    );
  }
  if (basis !== "localtime") return formatUtcTime(nowSeconds + adjustmentSeconds);
  if (adjustmentSeconds === 0) return "localtime";
  throw notSettled(
    offset,
    "svirt does not know how far the host's own time is from UTC",
    "Write basis='utc'.",
  );
}

/** The timer of that name. */
export function timerOf({ clock }: Domain, name: Timer["name"]): Timer | undefined {
  return clock?.timers.find((timer) => timer.name === name);
}

/** Catching up is what KVM does by itself. */
function formatPit({ tickpolicy = "delay" }: Timer): Words {
  return tickpolicy === "catchup" ? [] : ["-global", `kvm-pit.lost_tick_policy=${tickpolicy}`];
}

/** What QEMU can be told of each timer. */
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
    throw cannotTranslate(`${path}/@tickpolicy`, "QEMU's rtc drops no ticks", "Write delay or catchup.");
  }
  if (strange !== undefined) {
    throw cannotTranslate(`${path}/@${strange}`, `QEMU's ${timer.name} has no such setting`, "Leave it out.");
  }
}
