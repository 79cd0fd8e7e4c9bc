import { cpuModelsFile, emulatorFile } from "../../plan/paths.ts";
import {
  type CpuModels,
  cpuModels,
  modelQuestions,
  parseCpuModels,
} from "../../qemu/cpu-model/cpu-models.ts";
import {
  EMULATOR_QUESTIONS,
  type EmulatorFacts,
  emulatorFacts,
  parseEmulatorFacts,
} from "../../qemu/monitor/emulator-facts.ts";
import type { Instance } from "../../state/instance.ts";
import { askOnce } from "./ask-once.ts";
import { namedModels } from "./domain-capabilities.ts";

/** Returns the capabilities of an emulator. Throws as askOnce() does. */
export async function getEmulatorFacts(
  instance: Instance,
  path: string,
  type: "kvm" | "qemu",
): Promise<EmulatorFacts> {
  return await askOnce(
    instance,
    { path, type },
    { schema: emulatorFacts, file: emulatorFile, input: EMULATOR_QUESTIONS, parse: parseEmulatorFacts },
  );
}

/** Returns the models of processors that an emulator knows, with their features. Throws as askOnce() does. */
export async function getCpuModels(
  instance: Instance,
  path: string,
  type: "kvm" | "qemu",
): Promise<CpuModels> {
  const facts = await getEmulatorFacts(instance, path, type);
  const names = namedModels(facts.cpus).map(({ name }) => name);
  return await askOnce(
    instance,
    { path, type },
    {
      schema: cpuModels,
      file: cpuModelsFile,
      input: modelQuestions(names, type),
      parse: (output) => parseCpuModels(output, names),
    },
  );
}
