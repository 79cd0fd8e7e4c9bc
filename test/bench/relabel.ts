/**
 * relabel HOW FOLDER LIST LABEL: labels the files that LIST names, in this one process. `set` labels them
 * as `svirt label set` does. `use` labels and remembers the original as a start
 * does, then restores it as the guest's end does. FOLDER holds svirt's state.
 */
import { readFileSync } from "node:fs";
import { withUnusedFile } from "../../src/labelling/free-file.ts";
import { setLabels } from "../../src/labelling/set-label.ts";
import { fileKey } from "../../src/plan/facts/file-key.ts";
import type { Claim } from "../../src/plan/facts/step-parts.ts";
import { restoreFileLabel, setFileLabel } from "../../src/run/labels/file-label.ts";
import { registryOf } from "../../src/state/instance.ts";
import { givenNode } from "../real-host/given-node.ts";

const [how, folder = "", list = "", label = ""] = process.argv.slice(2);
const paths = readFileSync(list, "utf8").trimEnd().split("\n");
const instance = givenNode(folder, "s0-s0:c0.c1023");
const actor = { host: instance.host, registry: registryOf(instance), owner: "bench" };

if (how === "set") await setLabels(instance, { paths, isDryRun: false }, label);
else for (const step of paths.map(useFile)) restoreFileLabel(actor, step);

function useFile(path: string) {
  const { file, from } = withUnusedFile(instance, { path, held: new Map() }, ({ facts }, marks) => ({
    file: facts.id,
    from: marks.label ?? "",
  }));
  const claim: Claim = { kind: "file", key: fileKey(file), sharing: "exclusive", label, original: from };
  setFileLabel(actor, { do: "set-label", file, claim, from, to: label });
  return { do: "restore-label", file, claim, from: label, to: from } as const;
}
