import { SvirtError } from "../errors.ts";
import type { EventKind } from "../vm/events/event-kind.ts";
import { followEvents } from "../vm/events/follow-events.ts";
import type { HappenedEvent } from "../vm/events/watch-events.ts";
import { parseWhole } from "./arguments/whole-number.ts";
import type { Call, Option } from "./command.ts";

/**
 * Longest time in seconds, in milliseconds of 32 bits. vshCommandOptTimeoutToMs() of libvirt's tools/vsh.c
 */
const MOST_SECONDS = Math.floor((2 ** 31 - 1) / 1000);

/** Events of a sort of objects, as a command of virsh has them. */
export interface EventSort {
  readonly of: HappenedEvent["of"];
  /** Name of the option for an object; undefined: the sort's. */
  readonly option?: string;
  /** Events of libvirt in virsh's order; undefined: never reported. */
  readonly events: ReadonlyMap<string, EventKind | undefined>;
  /** virsh's function of libvirt's API for the registration. */
  readonly api: `vir${string}RegisterAny`;
  /** Words of virsh's error without --list and --event. */
  readonly missing: string;
  /** Returns the line of virsh for an event of that kind; undefined for an event of another kind. */
  describe(event: HappenedEvent, kind: EventKind): string | undefined;
}

/** Options of every command waiting for events. */
export const EVENT_OPTIONS: readonly Option[] = [
  { name: "event", value: "type", summary: "event type to wait for" },
  { name: "loop", summary: "wait for more events after the first, until the timeout or an interrupt" },
  { name: "timeout", value: "seconds", summary: "longest time to wait" },
  { name: "list", summary: "list the event types" },
  { name: "timestamp", summary: "print the time (UTC) of each event" },
];

/**
 * Prints the requested types or events of the command line, of an object or of all. Returns 1 if there was
 * none. Throws "usage", "unsupported" with virsh's messages. cmdEvent() of libvirt's
 * tools/virsh-domain-event.c
 */
export async function waitForEvents(call: Call, sort: EventSort): Promise<number | undefined> {
  const { options, output } = call;
  if (options.has("list")) {
    output.print(`${[...sort.events.keys()].join("\n")}\n\n`);
    return undefined;
  }
  const seconds = options.get("timeout");
  const timeoutMs =
    seconds === undefined ? undefined : parseWhole(seconds, "timeout", [1, MOST_SECONDS]) * 1000;
  const [kinds, isLoop, key] = [
    kindsOf(call, sort),
    options.has("loop"),
    options.get(sort.option ?? sort.of),
  ];
  const only = key === undefined ? undefined : { of: sort.of, key };
  let count = 0;
  // A stalled reader must not delay the work for other clients waiting for events of the same guests.
  const end = await followEvents(call.instance, { kinds, only, isLoop, timeoutMs }, async (event, seenMs) => {
    const stamp = options.has("timestamp") ? `${timestamp(seenMs)}: ` : "";
    for (const line of kinds.flatMap((kind) => sort.describe(event, kind) ?? [])) {
      count += 1;
      if (!(await output.printSoon(`${stamp}${line}\n`))) return false;
    }
    return true;
  });
  output.print(`${end === "timed out" ? "event loop timed out\n" : ""}events received: ${count}\n\n`);
  return count > 0 ? undefined : 1;
}

function kindsOf({ options }: Call, { api, events, missing }: EventSort): readonly EventKind[] {
  const type = options.get("event");
  // Of all types virsh ignores types without a registration.
  if (options.has("all")) return [...events.values()].filter((kind) => kind !== undefined);
  if (type === undefined) {
    throw new SvirtError(missing, { kind: "usage", remedy: "Wait for an event: --event lifecycle" });
  }
  if (!events.has(type)) {
    throw new SvirtError(`unknown event type ${type}`, {
      kind: "usage",
      remedy: "List the event types: --list",
    });
  }
  const kind = events.get(type);
  if (kind !== undefined) return [kind];
  // virReportUnsupportedError() of libvirt
  throw new SvirtError(`this function is not supported by the connection driver: ${api}`, {
    kind: "unsupported",
    libvirt: "NO_SUPPORT",
    remedy: "Ask for the state again from time to time: docs/clients.md lists the delivered events.",
  });
}

/** virTimeStringNowRaw() of libvirt */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "+0000");
}
