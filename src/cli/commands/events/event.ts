import type { EventKind } from "../../../vm/events/event-kind.ts";
import type { Command } from "../../command.ts";
import { describeGuestEvent, describeLife, isGuestKind } from "../../output/domain-event-lines.ts";
import { oneLine } from "../../output/one-line.ts";
import { EVENT_OPTIONS, type EventSort, waitForEvents } from "../../wait-for-events.ts";

/** virshDomainEventCallbacks of libvirt's tools/virsh-domain-event.c */
const NAMES =
  "lifecycle reboot rtc-change watchdog io-error graphics io-error-reason control-error block-job disk-change " +
  "tray-change pm-wakeup pm-suspend balloon-change pm-suspend-disk device-removed block-job-2 tunable " +
  "agent-lifecycle device-added migration-iteration job-completed device-removal-failed metadata-change " +
  "block-threshold memory-failure memory-device-size-change nic-mac-change";

const sort: EventSort = {
  of: "domain",
  events: new Map(NAMES.split(" ").map((name) => [name, kindNamed(name)])),
  api: "virConnectDomainEventRegisterAny",
  missing: "one of --list, --all, or --event <type> is required",
  describe(event, kind) {
    if (event.of === "guest") return isGuestKind(kind) ? describeGuestEvent(event, kind) : undefined;
    if (event.of !== "domain" || kind !== "domain lifecycle") return undefined;
    return `event 'lifecycle' for domain '${oneLine(event.name)}': ${describeLife(event.happened)}`;
  },
};

function kindNamed(name: string): EventKind | undefined {
  if (name === "lifecycle") return "domain lifecycle";
  return isGuestKind(name) ? name : undefined;
}

/** `svirt event` */
export const command: Command = {
  spec: {
    name: "event",
    summary: "list event types, or wait for events of domains",
    details:
      "Events are reported whichever process causes them, or the guest itself. Types not reported by svirt are refused.\n" +
      "Without --loop it ends after the first event. The exit code is 1 without an event.",
    operands: [],
    options: [
      { name: "domain", value: "domain", summary: "only events of this domain: its name, id or uuid" },
      { name: "all", summary: "wait for all events reported by svirt" },
      ...EVENT_OPTIONS,
    ],
    recovery: "none",
  },
  run: async (call) => await waitForEvents(call, sort),
};
