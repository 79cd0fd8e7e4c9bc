import type { CommandSpec } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { formatCompletion } from "./completion.ts";
import { formatDecisions } from "./decisions.ts";
import { generateDomainXml } from "./domain-xml/generate.ts";
import { formatLabels } from "./labels.ts";
import { formatManual } from "./manual.ts";
import { formatPage } from "./page.ts";

/** Returns the text of each generated file, by its path in the project. */
export async function generateDocs(): Promise<ReadonlyMap<string, string>> {
  const specs: readonly CommandSpec[] = await Promise.all(
    [...COMMANDS.values()].map(async (load) => (await load()).command.spec),
  );
  return new Map([
    ["docs/commands.md", formatPage(specs)],
    ["docs/decisions/README.md", formatDecisions()],
    ["docs/labels.md", formatLabels()],
    ["docs/svirt.8", formatManual(specs)],
    ["completions/svirt.bash", formatCompletion(specs)],
    ...generateDomainXml(),
  ]);
}
