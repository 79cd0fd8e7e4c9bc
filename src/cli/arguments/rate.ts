import { SvirtError } from "../../errors.ts";
import type { RateChange } from "../../vm/hotplug/bandwidth.ts";
import type { Option } from "../command.ts";

const SIDES = ["inbound", "outbound"] as const;
type Side = (typeof SIDES)[number];
/** Numbers of a limit, in virsh's order. libvirt passes them in 32 bits. */
const FIELDS = ["average", "peak", "burst", "floor"] as const;
const MOST = 2 ** 32 - 1;

/** Options for the limits of an interface. */
export const RATE_OPTIONS: readonly Option[] = [
  { name: "inbound", value: "limit", summary: "frames to the guest" },
  { name: "outbound", value: "limit", summary: "frames from the guest; the peak is ignored" },
];

/** Reads the given limits. Throws "usage" with virsh's messages. */
export function readRates(options: ReadonlyMap<string, string>): Readonly<Partial<Record<Side, RateChange>>> {
  return Object.fromEntries(
    SIDES.flatMap((side) => {
      const text = options.get(side);
      return text === undefined ? [] : [[side, parseRate(side, text)] as const];
    }),
  );
}

/**
 * Parses virsh's `average,peak,burst,floor`. Throws "usage" with virsh's messages. virshParseRateStr(),
 * cmdDomIftune()
 */
function parseRate(side: Side, text: string): RateChange {
  const usage = (message: string): SvirtError =>
    new SvirtError(message, { kind: "usage", remedy: `Write numbers: --${side} 1000,2000,512` });
  const words = text.split(",");
  if (words.length > FIELDS.length) throw usage(`Rate string '${text}' has too many fields`);
  const [average, peak, burst, floor] = FIELDS.map((field, at) => {
    const word = words[at] ?? "";
    if (/^\d{0,15}$/.test(word)) return Number(word);
    throw usage(`field '${field}' is malformed`);
  }) as [number, number, number, number];
  if (Math.max(average, peak, burst) > MOST) throw usage(`${side} rate larger than maximum ${MOST}`);
  if (average === 0 && (peak > 0 || burst > 0) && (side === "outbound" || floor === 0))
    throw usage(
      `${side === "inbound" ? "either inbound average or floor" : "outbound average"} is mandatory`,
    );
  if (side === "outbound" && floor > 0) throw usage("outbound floor is unsupported yet");
  return { average, burst, floor, peak };
}
