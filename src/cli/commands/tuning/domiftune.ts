import { SvirtError } from "../../../errors.ts";
import {
  type Bandwidth,
  changeBandwidth,
  type RateChange,
  readBandwidth,
} from "../../../vm/hotplug/bandwidth.ts";
import { INTERFACE_OPERAND } from "../../arguments/interface-operand.ts";
import { type Command, DOMAIN_OPERAND, operand, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";
import { formatParameters } from "../../output/typed-parameters.ts";

const SIDES = ["inbound", "outbound"] as const;
type Side = (typeof SIDES)[number];
/** Numbers of a limit, in virsh's order. libvirt passes them in 32 bits. */
const FIELDS = ["average", "peak", "burst", "floor"] as const;
const MOST = 2 ** 32 - 1;

/** `svirt domiftune DOMAIN INTERFACE` */
export const command: Command = {
  spec: {
    name: "domiftune",
    summary: "show or set the limits of a network interface",
    details:
      "A limit is average,peak,burst: kilobytes per second twice, and KiB; --inbound has a fourth number, the guaranteed share (floor).\n" +
      "Missing numbers are 0. An average of 0 means no limit.",
    operands: [DOMAIN_OPERAND, INTERFACE_OPERAND],
    options: [
      { name: "inbound", value: "limit", summary: "frames to the guest" },
      { name: "outbound", value: "limit", summary: "frames from the guest, whose peak is ignored" },
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const name = operand(call, "interface");
    const given = SIDES.flatMap((side) => {
      const text = call.options.get(side);
      return text === undefined ? [] : [[side, parseRate(side, text)] as const];
    });
    if (given.length === 0) {
      const bandwidth = readBandwidth(call.instance, askOf(call), name);
      if (call.options.has("json")) printJson(call, bandwidth);
      else call.output.print(formatParameters(listParameters(bandwidth)));
      return undefined;
    }
    const change = { name, ...Object.fromEntries(given) };
    printChanged(call, await changeBandwidth(call.instance, askOf(call), change), "");
    return undefined;
  },
};

/** Parses virsh's `average,peak,burst,floor`. Throws "usage" with virsh's messages. virshParseRateStr(), cmdDomIftune() */
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

/** Lists virsh's parameters. qemuDomainGetInterfaceParameters() of libvirt */
function listParameters({ inbound, outbound }: Bandwidth): readonly (readonly [string, string])[] {
  return [
    ["inbound.average", String(inbound?.average ?? 0)],
    ["inbound.peak", String(inbound?.peak ?? 0)],
    ["inbound.burst", String(inbound?.burst ?? 0)],
    ["inbound.floor", String(inbound?.floor ?? 0)],
    ["outbound.average", String(outbound?.average ?? 0)],
    ["outbound.peak", String(outbound?.peak ?? 0)],
    ["outbound.burst", String(outbound?.burst ?? 0)],
  ];
}
