import { afterAll, beforeAll } from "bun:test";
import { fileURLToPath } from "node:url";
import { node } from "../harness/on-the-node.ts";
import { isNodeUp } from "../isolation/on-the-node.ts";

const BUILD = fileURLToPath(new URL("build", import.meta.url));

/** Folder of the programs on the node. */
const PROGRAMS_FOLDER = "/srv/programs";

/**
 * Prefix of a script: `tool NAME ...` runs one of the programs, `tool_with_etc FOLDER NAME ...` does so with
 * that folder as its /etc.
 */
export const PROGRAMS = `
  tool() { tool_name=$1; shift; LD_LIBRARY_PATH=${PROGRAMS_FOLDER}/lib ${PROGRAMS_FOLDER}/bin/$tool_name "$@"; }
  tool_with_etc() {
    LD_LIBRARY_PATH=${PROGRAMS_FOLDER}/lib unshare -m sh -c 'mount -o bind "$0" /etc && exec ${PROGRAMS_FOLDER}/bin/"$@"' "$@"
  }
`;

/**
 * Copies test/node/programs/build's programs to the node before the first test of a file; removes them after
 * the last.
 */
export function bringPrograms(): void {
  beforeAll(async () => {
    if (await isNodeUp()) await putPrograms();
  });
  afterAll(async () => {
    if (await isNodeUp()) await node(["ssh", `rm -rf ${PROGRAMS_FOLDER}`]);
  });
}

/** Copies the programs to the node of that name. */
export async function putPrograms(name?: string): Promise<void> {
  const built = Bun.spawnSync([BUILD], { stderr: "inherit" });
  if (!built.success) throw new Error("Cannot put together the programs for the node");
  const folder = built.stdout.toString().trim();
  await node(["ssh", `mkdir -p ${PROGRAMS_FOLDER}`], "", name);
  await node(["put", `${folder}/bin`, `${folder}/lib`, PROGRAMS_FOLDER], "", name);
}
