import { readFileSync } from "node:fs";

/** Purpose of the commands in each folder of src/cli/commands, in the order of README.md's table. */
const PURPOSES: ReadonlyMap<string, string> = new Map([
  ["define", "define domains"],
  ["xml", "check and translate XML, on any host"],
  ["run", "run guests"],
  ["console", "consoles and screens"],
  ["query", "inspect guests"],
  ["audit", "preview, audit, explain"],
  ["hotplug", "change devices of a running guest"],
  ["tuning", "memory, virtual CPUs, limits, placement"],
  ["agent", "ask the agent in a guest"],
  ["save", "save and restore state"],
  ["snapshot", "snapshots"],
  ["block", "jobs on the images of a running guest"],
  ["pool", "storage pools"],
  ["volume", "volumes and images"],
  ["network", "networks"],
  ["filter", "packet filters"],
  ["secret", "[secrets](docs/secrets.md)"],
  ["host", "inspect the host"],
  ["node-device", "devices of the host"],
  ["interface", "network interfaces of the host"],
  ["events", "events"],
  ["label", "set labels by hand"],
  ["recover", "recover"],
  ["shell", "serve SSH keys and libvirt's clients"],
]);

export interface Subject {
  readonly purpose: string;
  /** Names of commands, in the order of the help. */
  readonly commands: readonly string[];
}

/** Groups all commands by the folder of their file. Throws for a folder without a purpose. */
export function listSubjects(): readonly Subject[] {
  const source = readFileSync(new URL("../../src/cli/commands.ts", import.meta.url), "utf8");
  const found = Map.groupBy(
    [...source.matchAll(/^ {2}"?([\w -]+?)"?: \(\) =>\s*import\("\.\/commands\/([\w-]+)\//gm)],
    ([, , folder = ""]) => folder,
  );
  const unknown = [...found.keys()].filter((folder) => !PURPOSES.has(folder));
  if (unknown.length > 0)
    throw new Error(`No purpose is written for ${unknown.join(", ")}: scripts/docs/subjects.ts`);
  return [...PURPOSES].map(([folder, purpose]) => ({
    purpose,
    commands: (found.get(folder) ?? []).map(([, name = ""]) => name),
  }));
}
