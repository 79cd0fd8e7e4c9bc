import type { EventKind } from "../../../vm/events/event-kind.ts";
import type { Command } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { EVENT_OPTIONS, type EventSort, waitForEvents } from "../../wait-for-events.ts";

/** virshDomainEventCallbacks of libvirt's tools/virsh-domain-event.c. All but the first one need QEMU's monitor. */
const NAMES =
  "lifecycle reboot rtc-change watchdog io-error graphics io-error-reason control-error block-job disk-change " +
  "tray-change pm-wakeup pm-suspend balloon-change pm-suspend-disk device-removed block-job-2 tunable " +
  "agent-lifecycle device-added migration-iteration job-completed device-removal-failed metadata-change " +
  "block-threshold memory-failure memory-device-size-change nic-mac-change";

const sort: EventSort = {
  of: "domain",
  events: new Map(
    NAMES.split(" ").map((name): [string, EventKind | undefined] => [
      name,
      name === "lifecycle" ? "domain lifecycle" : undefined,
    ]),
  ),
  api: "virConnectDomainEventRegisterAny",
  missing: "one of --list, --all, or --event <type> is required",
  describe: ({ happened, name }) =>
    `event 'lifecycle' for domain '${oneLine(name)}': ${capitalized(happened)}`,
};

/** `svirt event` */
export const command: Command = {
  spec: {
    name: "event",
    summary: "list event types, or wait for events of domains",
    details:
      "Of virsh's types only lifecycle is reported, whichever process causes the event. Without --loop it ends after the\n" +
      "first event. The exit code is 1 without an event.",
    operands: [],
    options: [
      { name: "domain", value: "domain", summary: "only events of this domain: its name, id or uuid" },
      { name: "all", summary: "wait for all events that svirt reports" },
      ...EVENT_OPTIONS,
    ],
    recovery: "none",
  },
  run: async (call) => await waitForEvents(call, sort),
};

function capitalized(words: string): string {
  return words.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
