import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { tellMonitor } from "../guest/guest-monitor.ts";
import { askSystem } from "./ask-system.ts";

const NS_PER_SECOND = 1_000_000_000n;
const MS_PER_SECOND = 1000;

/** Time since 1970. */
export interface ClockTime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** Returns the time of a running guest's system. Throws the errors of askSystem(). */
export async function getGuestTime(instance: Instance, key: string): Promise<ClockTime> {
  const { guest } = findRunning(instance, key);
  const ns = BigInt(Math.round(await askSystem({ instance, guest }, "guest-get-time")));
  return { seconds: ns / NS_PER_SECOND, nanoseconds: Number(ns % NS_PER_SECOND) };
}

/**
 * Sets the time of a running guest's system: to a given time, to the host's, or to its hardware clock's. QEMU
 * then drops the missed ticks of the hardware clock, otherwise delivered at once. Throws the errors of
 * askSystem(). qemuDomainSetTime() of libvirt
 */
export async function setGuestTime(
  instance: Instance,
  key: string,
  time: ClockTime | "host" | "hardware",
): Promise<void> {
  const { guest } = findRunning(instance, key);
  const args = time === "hardware" ? {} : { time: Number(nanosecondsOf(instance, time)) };
  await askSystem({ instance, guest }, "guest-set-time", { args });
  await tellMonitor(instance, guest.uuid, { execute: "rtc-reset-reinjection" });
}

function nanosecondsOf({ host }: Instance, time: ClockTime | "host"): bigint {
  if (time === "host") return BigInt(Math.floor(host.nowMs() / MS_PER_SECOND)) * NS_PER_SECOND;
  return time.seconds * NS_PER_SECOND + BigInt(time.nanoseconds);
}
