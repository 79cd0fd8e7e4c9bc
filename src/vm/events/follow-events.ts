import type { Instance } from "../../state/instance.ts";
import { findDomain } from "../guest/find-domain.ts";
import { findNetwork } from "../network/find-network.ts";
import { findPool } from "../pool/find-pool.ts";
import { type EventKind, isDeviceKind, kindsOf } from "./event-kind.ts";
import { type EventWatch, type HappenedEvent, watchEvents } from "./watch-events.ts";

/**
 * Longest pause between two looks at the clock. A longer pause would delay the end of the process after the
 * last event.
 */
const PAUSE_MS = 250;

/** Events to wait for. */
export interface Followed {
  readonly kinds: readonly EventKind[];
  /** The only object whose events count, by its name, id or UUID; undefined: all objects. */
  readonly only: { readonly of: HappenedEvent["of"]; readonly key: string } | undefined;
  /** Whether to wait for more events after the first. */
  readonly isLoop: boolean;
  /** Time for all events; undefined: no limit. */
  readonly timeoutMs: number | undefined;
}

/**
 * Reports events to `onEvent`, with the time in milliseconds since 1970, until the first event, or in a loop
 * until the time is over or `onEvent` returns false. Returns the reason of its end. Throws as watchEvents();
 * "not-found".
 */
export async function followEvents(
  instance: Instance,
  followed: Followed,
  onEvent: (event: HappenedEvent, seenMs: number) => Promise<boolean>,
): Promise<"done" | "timed out"> {
  const { host } = instance;
  const uuid = uuidOf(instance, followed.only);
  const { isLoop, kinds, timeoutMs = Number.POSITIVE_INFINITY } = followed;
  const endMs = host.nowMs() + timeoutMs;
  const watch = watchEvents(instance);
  try {
    watch.followDevices(kinds.some(isDeviceKind));
    for (;;) {
      const wanted = watch.take().filter((event) => isWanted(event, { kinds, uuid }));
      const isHeard = await report(isLoop ? wanted : wanted.slice(0, 1), async (event) =>
        onEvent(event, host.nowMs()),
      );
      if (!isHeard) return "done";
      if (!isLoop && wanted.length > 0) return "done";
      if (host.nowMs() >= endMs) return "timed out";
      await pause(instance, watch, endMs);
    }
  } finally {
    await watch.close();
  }
}

/** Reports events in order. Returns false as soon as `onEvent` does. */
async function report(
  events: readonly HappenedEvent[],
  onEvent: (event: HappenedEvent) => Promise<boolean>,
): Promise<boolean> {
  for (const event of events) if (!(await onEvent(event))) return false;
  return true;
}

const FINDERS: Readonly<
  Record<HappenedEvent["of"], (instance: Instance, key: string) => { readonly uuid: string }>
> = {
  domain: findDomain,
  guest: findDomain,
  network: findNetwork,
  pool: findPool,
  secret: secretNamed,
  nodedev: deviceNamed,
};

function secretNamed(instance: Instance, key: string): { readonly uuid: string } {
  const {
    findSecret,
  }: typeof import("../../resolve/secrets/find-secret.ts") = require("../../resolve/secrets/find-secret.ts");
  return findSecret(instance, key);
}

function deviceNamed(instance: Instance, key: string): { readonly uuid: string } {
  const {
    lookUpDevice,
  }: typeof import("../node-device/node-devices.ts") = require("../node-device/node-devices.ts");
  return { uuid: lookUpDevice(instance, key).name };
}

function uuidOf(instance: Instance, only: Followed["only"]): string | undefined {
  return only === undefined ? undefined : FINDERS[only.of](instance, only.key).uuid;
}

function isWanted(
  event: HappenedEvent,
  { kinds, uuid }: Pick<Followed, "kinds"> & { readonly uuid: string | undefined },
): boolean {
  return kindsOf(event).some((kind) => kinds.includes(kind)) && (uuid ?? event.uuid) === event.uuid;
}

async function pause({ host }: Instance, watch: EventWatch, endMs: number): Promise<void> {
  if (endMs === Number.POSITIVE_INFINITY) return await watch.wait();
  await Promise.race([watch.wait(), host.sleep(Math.max(0, Math.min(PAUSE_MS, endMs - host.nowMs())))]);
}
