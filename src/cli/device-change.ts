import { type Device, parseDevice } from "../domain/device.ts";
import type { Ask, Changed } from "../vm/change/change-domain.ts";
import type { ImpactOptions } from "../vm/change/impact.ts";
import { readInputFile } from "./arguments/input-file.ts";
import {
  type Call,
  DOMAIN_OPERAND,
  JSON_OPTION,
  type Operand,
  type Option,
  operand,
  printJson,
} from "./command.ts";
import { CRASH_OPTION, crashDrill } from "./crash-drill.ts";
import { DRY_RUN_OPTION } from "./label-changes.ts";
import { printDryRun } from "./output/format-plan.ts";

/** Options for the running guest or the definition. */
export const IMPACT_OPTIONS: readonly Option[] = [
  { name: "live", summary: "change the running guest" },
  { name: "config", summary: "change the definition, for the next start" },
  { name: "current", summary: "change the guest if it runs, else the definition; the default" },
];

/** Options of every command changing a domain's devices. */
export const CHANGE_OPTIONS: readonly Option[] = [
  ...IMPACT_OPTIONS,
  DRY_RUN_OPTION,
  JSON_OPTION,
  CRASH_OPTION,
];

/** Option of virsh's oldest commands. */
export const PERSISTENT_OPTION: Option = {
  name: "persistent",
  summary: "change the definition, and the guest if it runs",
};

/** Operands of every command reading a device's XML. */
export const DEVICE_OPERANDS: readonly Operand[] = [
  DOMAIN_OPERAND,
  { name: "file", summary: "XML of the device: a file, or - for standard input" },
];

/** Reads the device in the command line. Throws "xml", "unsupported". */
export function readDevice(call: Call): Device {
  return parseDevice(readInputFile(call, operand(call, "file")));
}

/** Returns the requested change of the command line. Throws "usage". */
export function askOf(call: Call): Ask {
  return {
    key: operand(call, "domain"),
    options: impactOf(call),
    isDryRun: call.options.has(DRY_RUN_OPTION.name),
    observer: crashDrill(call),
  };
}

/** Returns whether the command line selects the running guest, the definition or both. */
export function impactOf({ options }: Pick<Call, "options">): ImpactOptions {
  return {
    live: options.has("live"),
    config: options.has("config"),
    current: options.has("current"),
    persistent: options.has(PERSISTENT_OPTION.name),
  };
}

/** Prints the message of success, or the steps of a dry run. */
export function printChanged(call: Call, { name, steps }: Changed, message: string): void {
  if (call.options.has(DRY_RUN_OPTION.name)) printDryRun(call, { steps });
  else if (call.options.has("json")) printJson(call, { name });
  else call.output.print(`${message}\n${message === "" ? "" : "\n"}`);
}
