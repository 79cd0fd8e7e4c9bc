import { defaultContextOf, parseFileContexts } from "../../../src/selinux/file-contexts/look-up.ts";
import {
  findLabelFaults,
  findListenerFaults,
  findProcessFaults,
  type LabelException,
  parseLabels,
} from "./judge.ts";
import { FILE_CONTEXTS, LIST_LISTENERS, LIST_PROCESSES, listLabels } from "./look.ts";

/** What a system has to be like, whose processes and files all have the label that is meant for them. */
export interface SystemTable {
  /** The domains that each program may run in. What runs and is not here is a fault. */
  readonly processes: ReadonlyMap<string, readonly string[]>;
  /** Who may wait for the network: `tcp 22 sshd_t`. */
  readonly listeners: readonly string[];
  /** The file systems whose labels are looked at. */
  readonly mounts: readonly string[];
  /** What has another label than the policy's default, and why. */
  readonly labels: readonly LabelException[];
}

/** Runs a command on the machine and gives its output. */
type Run = (command: string) => Promise<string>;

/** Everything that is not as the table and the machine's own file contexts say, a line each. */
export async function findContextFaults(run: Run, table: SystemTable): Promise<readonly string[]> {
  const read = async (suffix: string) =>
    (await run(`cat ${FILE_CONTEXTS}${suffix} 2>/dev/null || true`)).trimEnd();
  const part = async (suffix: string) => ({ text: await read(suffix), path: `${FILE_CONTEXTS}${suffix}` });
  const contexts = parseFileContexts({
    base: await part(""),
    homedirs: await part(".homedirs"),
    subs: await read(".subs"),
    subsDist: await read(".subs_dist"),
  });
  const labels = parseLabels(await run(listLabels(table.mounts)));
  if (labels.length < 300) throw new Error(`Cannot judge the labels: only ${labels.length} paths were found`);
  return [
    ...findProcessFaults(await run(LIST_PROCESSES), table.processes),
    ...findListenerFaults(await run(LIST_LISTENERS), table.listeners),
    ...findLabelFaults(labels, (path, kind) => defaultContextOf(contexts, path, kind), table.labels),
  ];
}
