import type { CpuDescription } from "../../domain/other-documents/cpu-description.ts";
import { parseCpuFile } from "../../domain/other-documents/cpu-file.ts";
import type { Comparison } from "../../qemu/cpu-model/compare.ts";
import { type Baseline, type GuestKind, refuseIncompatible } from "../../vm/capabilities/cpu-models.ts";
import { type Call, JSON_OPTION, type Option, printJson } from "../command.ts";
import { oneLine } from "../output/one-line.ts";
import { readInputFile } from "./input-file.ts";
import { readVirtType } from "./virt-type.ts";

/** Options of commands comparing a processor. */
export const COMPARE_OPTIONS: readonly Option[] = [
  { name: "error", summary: "fail with libvirt's error if the processors are incompatible" },
  { name: "validate", summary: "accepted for virsh: svirt always validates" },
  JSON_OPTION,
];

/** Options of commands computing a processor. */
export const BASELINE_OPTIONS: readonly Option[] = [
  { name: "features", summary: "also list the features of the model" },
  { name: "migratable", summary: "leave out features that prevent the migration of a guest" },
  JSON_OPTION,
];

/** Options naming a kind of guests. */
export const KIND_OPTIONS: readonly Option[] = [
  { name: "virttype", summary: "kvm or qemu; default: kvm if /dev/kvm exists", value: "TYPE" },
  { name: "emulator", summary: "path of the installed emulator", value: "FILE" },
  { name: "arch", summary: "x86_64, the only architecture", value: "ARCH" },
  { name: "machine", summary: "pc, q35 or a version of them, which must exist", value: "MACHINE" },
];

/** Returns the kind of guests in the options. Throws "usage". */
export function readGuestKind(call: Call): GuestKind {
  const { options } = call;
  return {
    type: readVirtType(call, "virttype"),
    emulator: options.get("emulator"),
    arch: options.get("arch"),
    machine: options.get("machine"),
  };
}

/**
 * Returns the processors in a file, or in standard input for `-`. Throws as parseCpuFile() and
 * readInputFile().
 */
export function readCpuFile(call: Call, file: string): readonly [CpuDescription, ...CpuDescription[]] {
  return parseCpuFile(readInputFile(call, file), file);
}

/** Outcome of a comparison with the processor in a file. */
interface Outcome {
  readonly comparison: Comparison;
  readonly file: string;
}

/**
 * Prints the outcome of a comparison, by messages of virsh in which FILE is the file. Returns the exit code.
 */
export function printComparison(
  call: Call,
  { comparison, file }: Outcome,
  messages: Readonly<Record<Comparison["is"], string>>,
): number | undefined {
  if (call.options.has("error")) refuseIncompatible(comparison);
  if (call.options.has("json")) {
    const { is: result, ...why } = comparison;
    printJson(call, { result, ...why });
  } else call.output.print(`${messages[comparison.is].replace("FILE", () => oneLine(file))}\n\n`);
  return comparison.is === "incompatible" ? 1 : undefined;
}

/** Returns the options of a baseline. */
export function readBaselineOptions({ options }: Call): {
  readonly isExpanded: boolean;
  readonly isMigratable: boolean;
} {
  return { isExpanded: options.has("features"), isMigratable: options.has("migratable") };
}

/** Prints a computed processor. */
export function printBaseline(call: Call, { cpu, xml }: Baseline): void {
  if (call.options.has("json")) printJson(call, cpu);
  else call.output.print(`${xml}\n`);
}
