import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { countCommand } from "./count.ts";
import { run } from "./own-folders.ts";

const FILES = 300;
const [BEFORE, GUESTS] = [
  "system_u:object_r:images_t:s0",
  "system_u:object_r:svirt_image_t:s0:c1,c2",
] as const;

/** Programs that label files: svirt, and test/bench/relabel.ts in an executable. */
export interface Labellers {
  readonly svirt: string;
  readonly relabel: string;
}

/** Counts the relabelling of 300 files in FOLDER, which it empties, each in one process. */
export function countRelabelling({ relabel, svirt }: Labellers, folder: string): ReadonlyMap<string, number> {
  rmSync(folder, { recursive: true, force: true });
  const [files, state, list] = [`${folder}/files`, `${folder}/state`, `${folder}/list`];
  for (const made of [folder, files, state]) mkdirSync(made);
  const paths = Array.from({ length: FILES }, (_, at) => `${files}/${at}.img`);
  for (const path of paths) writeFileSync(path, "");
  writeFileSync(list, `${paths.join("\n")}\n`);
  const labelAll = (label: string): void => void run(["chcon", label, ...paths]);
  const count = (...words: readonly string[]): number => {
    labelAll(BEFORE);
    return countCommand(words, folder);
  };
  const counts = [
    [`label set, ${FILES} files`, count(relabel, "set", state, list, GUESTS)],
    [`labels of a start and end, ${FILES} files`, count(relabel, "use", state, list, GUESTS)],
  ] as const;
  labelAll(GUESTS);
  for (const path of paths) run(["setfattr", "-n", "trusted.libvirt.security.selinux", "-v", BEFORE, path]);
  return new Map([
    ...counts,
    [`label restore, ${FILES} files`, countCommand([svirt, "label", "restore", ...paths], folder)],
  ]);
}
