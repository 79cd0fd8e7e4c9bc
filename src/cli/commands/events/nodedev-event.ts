import type { Command } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { EVENT_OPTIONS, type EventSort, waitForEvents } from "../../wait-for-events.ts";

/** virshNodeDeviceEventCallbacks of libvirt's tools/virsh-nodedev.c */
const sort: EventSort = {
  of: "nodedev",
  option: "device",
  events: new Map([
    ["lifecycle", "nodedev lifecycle" as const],
    ["update", "nodedev update" as const],
  ]),
  api: "virConnectNodeDeviceEventRegisterAny",
  missing: "either --list or --event <type> is required",
  describe({ happened, name }) {
    if (happened === "updated") return `event 'update' for node device ${oneLine(name)}`;
    return `event 'lifecycle' for node device ${oneLine(name)}: ${happened[0]?.toUpperCase()}${happened.slice(1)}`;
  },
};

/** `svirt nodedev-event` */
export const command: Command = {
  spec: {
    name: "nodedev-event",
    summary: "list event types, or wait for events of the host's devices",
    details:
      "The kernel reports new, changed and removed devices. Without --loop it ends after the first event. The exit code is 1\n" +
      "without an event.",
    operands: [],
    options: [
      { name: "device", value: "device", summary: "only events of this device: its name" },
      ...EVENT_OPTIONS,
    ],
    recovery: "none",
  },
  run: async (call) => await waitForEvents(call, sort),
};
