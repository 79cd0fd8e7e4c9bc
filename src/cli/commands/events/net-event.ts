import type { Command } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { EVENT_OPTIONS, type EventSort, waitForEvents } from "../../wait-for-events.ts";

/** virshNetworkEventCallbacks of libvirt's tools/virsh-network.c */
const sort: EventSort = {
  of: "network",
  events: new Map([
    ["lifecycle", "network lifecycle" as const],
    ["metadata-change", undefined],
  ]),
  api: "virConnectNetworkEventRegisterAny",
  missing: "either --list or --event <type> is required",
  describe: ({ happened, name }) =>
    `event 'lifecycle' for network ${oneLine(name)}: ${happened[0]?.toUpperCase()}${happened.slice(1)}`,
};

/** `svirt net-event` */
export const command: Command = {
  spec: {
    name: "net-event",
    summary: "list event types, or wait for events of networks",
    details: "Without --loop it ends after the first event. The exit code is 1 without an event.",
    operands: [],
    options: [
      { name: "network", value: "network", summary: "only events of this network: its name or uuid" },
      ...EVENT_OPTIONS,
    ],
    recovery: "none",
  },
  run: async (call) => await waitForEvents(call, sort),
};
