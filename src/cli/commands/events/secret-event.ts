import type { Command } from "../../command.ts";
import { EVENT_OPTIONS, type EventSort, waitForEvents } from "../../wait-for-events.ts";

/** virshSecretEventCallbacks of libvirt's tools/virsh-secret.c */
const sort: EventSort = {
  of: "secret",
  events: new Map([
    ["lifecycle", "secret lifecycle" as const],
    ["value-changed", "secret value-changed" as const],
  ]),
  api: "virConnectSecretEventRegisterAny",
  missing: "either --list or --event <type> is required",
  describe({ happened, uuid }) {
    if (happened === "value changed") return `event 'value-changed' for secret ${uuid}`;
    return `event 'lifecycle' for secret ${uuid}: ${happened[0]?.toUpperCase()}${happened.slice(1)}`;
  },
};

/** `svirt secret-event` */
export const command: Command = {
  spec: {
    name: "secret-event",
    summary: "list event types, or wait for events of secrets",
    details: "Without --loop it ends after the first event. The exit code is 1 without an event.",
    operands: [],
    options: [
      { name: "secret", value: "secret", summary: "only events of this secret: its uuid" },
      ...EVENT_OPTIONS,
    ],
    recovery: "none",
  },
  run: async (call) => await waitForEvents(call, sort),
};
