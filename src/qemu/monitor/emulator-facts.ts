import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import { count, parseAnswer } from "./parse-answer.ts";
import { answersOf, formatQuestions } from "./probe-answers.ts";
import type { QmpCommand } from "./qmp.ts";

/** Capabilities reported by a QEMU binary. */
export const emulatorFacts = v.strictObject({
  version: v.string(),
  machines: v.array(
    v.strictObject({
      name: v.string(),
      alias: v.exactOptional(v.string()),
      isDefault: v.boolean(),
      mostCpus: v.number(),
    }),
  ),
  cpus: v.array(v.strictObject({ name: v.string(), usable: v.boolean(), deprecated: v.boolean() })),
  /** Types of its devices and objects. */
  types: v.array(v.string()),
});
export type EmulatorFacts = v.InferOutput<typeof emulatorFacts>;

const QUESTIONS: readonly QmpCommand[] = [
  { execute: "qmp_capabilities" },
  { execute: "query-version" },
  { execute: "query-machines" },
  { execute: "query-cpu-definitions" },
  { execute: "qom-list-types", arguments: { abstract: false } },
  { execute: "quit" },
];

/** QMP commands for QEMU's standard input. The last makes it quit. */
export const EMULATOR_QUESTIONS: string = formatQuestions(QUESTIONS);

/** Descriptor of /dev/kvm in a QEMU that describes itself, whose user may not open the device. */
const KVM_FD = 3;

/** Returns the arguments of a QEMU for queries only: no machine, no configuration of the host. */
export function probeArguments(emulator: string, type: "kvm" | "qemu"): readonly string[] {
  const accelerator =
    type === "kvm"
      ? ["-add-fd", `fd=${KVM_FD},set=1`, "-accel", "kvm,device=/dev/fdset/1"]
      : ["-accel", "tcg"];
  return [
    emulator,
    ...["-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", "none"],
    ...accelerator,
    ...["-qmp", "stdio"],
  ];
}

const version = v.looseObject({ qemu: v.looseObject({ major: count, minor: count, micro: count }) });
const machines = v.array(
  v.looseObject({
    name: v.string(),
    alias: v.exactOptional(v.string()),
    "is-default": v.exactOptional(v.boolean()),
    "cpu-max": count,
  }),
);
const cpus = v.array(
  v.looseObject({
    name: v.string(),
    deprecated: v.boolean(),
    "unavailable-features": v.exactOptional(v.array(v.string())),
  }),
);
const types = v.array(v.looseObject({ name: v.string() }));

/** Parses the whole output of QEMU. Throws "failed" when an answer is missing or unexpected. */
export function parseEmulatorFacts(output: string): EmulatorFacts {
  const answers = answersOf(output);
  const answer = <Schema extends v.GenericSchema>(schema: Schema, command: string): v.InferOutput<Schema> => {
    const id = QUESTIONS.findIndex(({ execute }) => execute === command);
    if (answers.has(id)) return parseAnswer(schema, answers.get(id), command);
    throw new SvirtError(`Cannot query QEMU's capabilities: it does not answer ${command}`, {
      kind: "failed",
      remedy: "Name another emulator: svirt requires QEMU 10.",
    });
  };
  const { major, micro, minor } = answer(version, "query-version").qemu;
  return {
    version: `${major}.${minor}.${micro}`,
    machines: answer(machines, "query-machines").map((found) => ({
      name: found.name,
      ...(found.alias === undefined ? {} : { alias: found.alias }),
      isDefault: found["is-default"] === true,
      mostCpus: found["cpu-max"],
    })),
    cpus: answer(cpus, "query-cpu-definitions").map((found) => ({
      name: found.name,
      usable: found["unavailable-features"]?.length === 0,
      deprecated: found.deprecated,
    })),
    types: answer(types, "qom-list-types").map(({ name }) => name),
  };
}
