import type { Domain } from "../../../domain/domain.ts";
import { type DeviceLimit, parseDeviceShares, replaceBlkiotune } from "../../../domain/edits/tuning.ts";
import { changeShares } from "../../../vm/tuning/change-limits.ts";
import { readDiskShares } from "../../../vm/tuning/read-limits.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Call, type Command, DOMAIN_OPERAND, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";
import { formatParameters } from "../../output/typed-parameters.ts";

interface Limit {
  readonly option: string;
  readonly limit: DeviceLimit;
  readonly shown: string;
  readonly summary: string;
}

/** Options of virsh, their fields in the XML's type, and their names in virsh's output. */
const LIMITS: readonly Limit[] = [
  { option: "device-weights", limit: "weight", shown: "device_weight", summary: "shares of single devices" },
  {
    option: "device-read-iops-sec",
    limit: "readOperations",
    shown: "device_read_iops_sec",
    summary: "reads in a second",
  },
  {
    option: "device-write-iops-sec",
    limit: "writeOperations",
    shown: "device_write_iops_sec",
    summary: "writes in a second",
  },
  {
    option: "device-read-bytes-sec",
    limit: "readBytes",
    shown: "device_read_bytes_sec",
    summary: "bytes read in a second",
  },
  {
    option: "device-write-bytes-sec",
    limit: "writeBytes",
    shown: "device_write_bytes_sec",
    summary: "bytes written in a second",
  },
];

/** `svirt blkiotune DOMAIN` */
export const command: Command = {
  spec: {
    name: "blkiotune",
    summary: "show or set a guest's share of the host's disks",
    details: "A list has a path and a number for each device: /dev/sda,100,/dev/sdb,200. 0 means no limit.",
    operands: [DOMAIN_OPERAND],
    options: [
      {
        name: "weight",
        value: "number",
        summary: "weight against other guests, from 100 to 1000",
      },
      ...LIMITS.map(({ option, summary }) => ({ name: option, value: "list", summary })),
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const given = call.options.get("weight");
    const weight = given === undefined ? undefined : parseWhole(given, "weight", [100, 1000]);
    const devices = LIMITS.flatMap(({ limit, option }) => {
      const text = call.options.get(option);
      return text === undefined ? [] : parseDeviceShares(text).map((device) => ({ ...device, limit }));
    });
    if (weight === undefined && devices.length === 0) {
      show(call);
      return undefined;
    }
    const options = {
      what: "limit disks",
      change: (domain: Domain) => replaceBlkiotune(domain, { weight, devices }),
    };
    printChanged(call, await changeShares(call.instance, askOf(call), options), "");
    return undefined;
  },
};

function show(call: Call): void {
  const { devices, weight } = readDiskShares(call.instance, askOf(call));
  if (call.options.has("json")) {
    printJson(call, { weight, devices });
    return;
  }
  const list = (limit: DeviceLimit): string =>
    devices
      .flatMap((device) => (device[limit] === undefined ? [] : [`${device.path},${device[limit]}`]))
      .join(",");
  call.output.print(
    formatParameters([
      ["weight", String(weight ?? 0)],
      ...LIMITS.map(({ limit, shown: name }) => [name, list(limit)] as const),
    ]),
  );
}
