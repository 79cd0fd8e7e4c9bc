import type { ProgramOutput } from "../../../src/host/processes.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { makeMachine } from "../../scenes/scene.ts";

const QEMU = "/usr/bin/qemu-system-x86_64";

/**
 * Features of the models of the made-up emulator, by QEMU's names; the best processor is `host` with KVM,
 * otherwise `max`.
 */
const MODELS: Readonly<Record<string, readonly string[]>> = {
  EPYC: ["aes", "fpu", "lahf-lm", "sse2"],
  "EPYC-v2": ["aes", "avx", "fpu", "lahf-lm", "sse2"],
  plain64: ["fpu", "sse2"],
  host: ["aes", "fpu", "invtsc", "lahf-lm", "sse2"],
  max: ["fpu", "sse2"],
};
const FEATURES = ["aes", "avx", "fpu", "invtsc", "lahf-lm", "sse2"];

interface Question {
  readonly id: number;
  readonly execute: string;
  readonly arguments?: { readonly model?: { readonly name: string } };
}

/** Answers as QEMU does. qemu.git qapi/machine.json */
function answerTo({ arguments: args, execute }: Question): unknown {
  const features = MODELS[args?.model?.name ?? ""] ?? [];
  const props = Object.fromEntries(FEATURES.map((name) => [name, features.includes(name)]));
  const answers = new Map<string, unknown>([
    ["query-version", { qemu: { major: 10, minor: 0, micro: 0 }, package: "" }],
    ["query-machines", [{ name: "pc-q35-10.0", alias: "q35", "is-default": true, "cpu-max": 288 }]],
    ["query-cpu-definitions", Object.keys(MODELS).map((name) => ({ name, deprecated: false }))],
    ["query-cpu-model-expansion", { model: { name: "base", props: { ...props, vendor: "AuthenticAMD" } } }],
    ["qom-list-types", []],
  ]);
  return answers.get(execute) ?? {};
}

function answerAll(input: string): string {
  const questions: Question[] = input
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return questions
    .map((question) => JSON.stringify({ return: answerTo(question), id: question.id }))
    .join("\n");
}

/** A machine with the made-up emulator; `asked` has the machines as which it was started. */
export function machineWithEmulator({ hasKvm = true } = {}): { machine: Machine; asked: string[] } {
  const machine = makeMachine();
  machine.files.put(QEMU, "file", { mode: 0o755 });
  if (!hasKvm) machine.files.remove("/dev/kvm");
  const asked: string[] = [];
  machine.readOutput = (words, input = ""): ProgramOutput => {
    if (input === "") return { text: "QEMU emulator version 10.0.0\n" };
    asked.push(words[words.indexOf("-accel") + 1] ?? "");
    return { text: answerAll(input) };
  };
  return { machine, asked };
}
