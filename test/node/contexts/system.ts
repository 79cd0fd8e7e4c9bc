import { defaultContextOf, parseFileContexts } from "../../../src/selinux/file-contexts/look-up.ts";
import {
  findLabelFaults,
  findListenerFaults,
  findProcessFaults,
  type LabelException,
  parseLabels,
} from "./judge.ts";
import { FILE_CONTEXTS, LIST_LISTENERS, LIST_PROCESSES, listLabels } from "./look.ts";

/** Expected contexts of a system's processes, sockets and files. */
export interface SystemTable {
  /** Domains that each program may run in. A running program outside the table is a fault. */
  readonly processes: ReadonlyMap<string, readonly string[]>;
  /** Sockets that may listen: `tcp 22 sshd_t`. */
  readonly listeners: readonly string[];
  /** File systems whose labels are checked. */
  readonly mounts: readonly string[];
  /** Labels other than the policy's default, with the reason. */
  readonly labels: readonly LabelException[];
}

/** Runs a command on the machine and returns its output. */
type Run = (command: string) => Promise<string>;

/** Reports each difference from the table and from the machine's file contexts, a line each. */
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
