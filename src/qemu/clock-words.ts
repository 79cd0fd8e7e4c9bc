import type { Timer } from "../domain/clock.ts";
import type { Domain } from "../domain/domain.ts";
import type { Guest } from "./guest.ts";
import { cannotTranslate } from "./refusal.ts";
import { keyValues, type Words } from "./words.ts";

/** QEMU's word for the clock that the guest's one follows. */
const CLOCKS = { wall: "host", guest: "vm" } as const;

/** -rtc, and what becomes of ticks that the guest missed. qemuBuildClockCommandLine() of libvirt */
export function formatClock({ domain }: Guest): Words {
  for (const [index, timer] of (domain.clock?.timers ?? []).entries()) refuseTimer(timer, index);
  const rtc = timerOf(domain, "rtc");
  const pairs = keyValues([
    ["base", domain.clock?.offset ?? "utc"],
    ["clock", rtc?.track && CLOCKS[rtc.track]],
    ["driftfix", rtc?.tickpolicy === "catchup" ? "slew" : undefined],
  ]);
  const pit = timerOf(domain, "pit");
  return ["-rtc", pairs, ...(pit === undefined ? [] : formatPit(pit))];
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
const SETTINGS: ReadonlyMap<Timer["name"], readonly (keyof Timer)[]> = new Map<
  Timer["name"],
  readonly (keyof Timer)[]
>([
  ["rtc", ["track", "tickpolicy"]],
  ["pit", ["tickpolicy"]],
  ["hpet", ["present"]],
  ["kvmclock", ["present"]],
]);

function refuseTimer(timer: Timer, index: number): void {
  const path = `/domain/clock/timer[${index + 1}]`;
  const known = SETTINGS.get(timer.name);
  if (known === undefined)
    throw cannotTranslate(path, `svirt does not set the timer ${timer.name} yet`, "Remove it.");
  const strange = (["present", "track", "tickpolicy"] as const).find(
    (setting) => timer[setting] !== undefined && timer[setting] !== true && !known.includes(setting),
  );
  if (strange !== undefined) {
    throw cannotTranslate(`${path}/@${strange}`, `QEMU's ${timer.name} has no such setting`, "Leave it out.");
  }
}
