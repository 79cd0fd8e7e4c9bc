import type { Command } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { EVENT_OPTIONS, type EventSort, waitForEvents } from "../../wait-for-events.ts";

/** virshPoolEventCallbacks of libvirt's tools/virsh-pool.c */
const sort: EventSort = {
  of: "pool",
  events: new Map([
    ["lifecycle", "pool lifecycle" as const],
    ["refresh", "pool refresh" as const],
  ]),
  api: "virConnectStoragePoolEventRegisterAny",
  missing: "either --list or --event <type> is required",
  describe({ happened, name }) {
    const pool = `storage pool ${oneLine(name)}`;
    if (happened === "refreshed") return `event 'refresh' for ${pool}`;
    return `event 'lifecycle' for ${pool}: ${happened[0]?.toUpperCase()}${happened.slice(1)}`;
  },
};

/** `svirt pool-event` */
export const command: Command = {
  spec: {
    name: "pool-event",
    summary: "list event types, or wait for events of storage pools",
    details: "Without --loop it ends after the first event. The exit code is 1 without an event.",
    operands: [],
    options: [
      { name: "pool", value: "pool", summary: "only events of this pool: its name or uuid" },
      ...EVENT_OPTIONS,
    ],
    recovery: "none",
  },
  run: async (call) => await waitForEvents(call, sort),
};
