import { SvirtError } from "../errors.ts";
import type { QemuJob } from "../run/steps/block/block-job.ts";
import { endBlockJob, startBlockJob } from "../vm/block/jobs.ts";
import { expectEnd, planWork } from "../vm/block/plan-conclusions.ts";
import { type Waited, waitForJob } from "../vm/block/wait-for-job.ts";
import type { ChangeRequest } from "../vm/change/change-guest.ts";
import { parseWhole } from "./arguments/whole-number.ts";
import { type Call, type Option, operand } from "./command.ts";
import { CRASH_OPTION, crashDrill } from "./crash-drill.ts";
import { DRY_RUN_OPTION } from "./label-changes.ts";
import { printDryRun } from "./output/format-plan.ts";

const MIB = 1024 * 1024;
const MS_PER_SECOND = 1000;
/** Limit in MiB and in bytes: exact as a number, and above the speed of any disk. */
const MOST_BANDWIDTH = 2 ** 33 - 1;
/** Longest timeout: a year. */
const MOST_SECONDS = 31_536_000;

/** Common options of all commands starting a block job. */
export const JOB_OPTIONS: readonly Option[] = [
  { name: "bytes", summary: "the bandwidth limit is in bytes/s rather than MiB/s" },
  { name: "wait", summary: "wait until the job is done, or waits to be pivoted or aborted" },
  { name: "verbose", summary: "with --wait, display the progress" },
  { name: "timeout", value: "seconds", summary: "implies --wait; abort the job after this time" },
  DRY_RUN_OPTION,
  CRASH_OPTION,
];

/** Name of a command's job, its end, and its messages, as in virsh. */
export interface JobMessages {
  /** Text before the progress. */
  readonly label: string;
  readonly started: string;
  readonly ready: string;
  readonly done: string;
  readonly failed: string;
  readonly aborted: string;
  /** Undefined if the job continues until a later command ends it. */
  readonly end: { readonly how: "pivot" | "abort"; readonly said: string } | undefined;
}

/** Returns the requested end of a job: the disk uses the copy or the base, or stays as it was. */
export function endOf(
  { options }: Call,
  keep: { readonly option: string; readonly said: string },
): JobMessages["end"] {
  if (options.has("pivot")) return { how: "pivot", said: "Successfully pivoted" };
  return options.has(keep.option) ? { how: "abort", said: keep.said } : undefined;
}

/** Returns the bandwidth limit in bytes/s; undefined for no limit. Throws "usage". */
export function paceOf(call: Call): number | undefined {
  const text = call.operands.get("bandwidth");
  if (text === undefined) return undefined;
  const value = parseWhole(text, "bandwidth", [0, MOST_BANDWIDTH]) * (call.options.has("bytes") ? 1 : MIB);
  return value === 0 ? undefined : value;
}

/** Starts a job; waits for it and ends it if requested. Throws the errors of these calls. */
export async function runJob(call: Call, request: ChangeRequest, words: JobMessages): Promise<void> {
  const { instance, options, output } = call;
  const key = operand(call, "domain");
  const timeout = options.get("timeout");
  const waits = options.has("wait") || timeout !== undefined || words.end !== undefined;
  if (options.has("verbose") && !waits) {
    throw new SvirtError(
      "--verbose requires at least one of --timeout, --wait, or an option that ends the job",
      {
        kind: "usage",
        remedy: "Add --wait.",
      },
    );
  }
  const timeoutMs =
    timeout === undefined ? undefined : parseWhole(timeout, "timeout", [1, MOST_SECONDS]) * MS_PER_SECOND;
  if (options.has(DRY_RUN_OPTION.name)) {
    const plan = await planWork(instance, key, { request, endOf: (jobs) => expectEnd(words.end?.how, jobs) });
    return printDryRun(call, plan);
  }
  await startBlockJob(instance, key, { request, observer: crashDrill(call) });
  if (!waits) return output.print(`${words.started}\n`);
  const onProgress = progressPrinter(call, words.label);
  const came = await waitForJob(instance, key, { path: operand(call, "path"), timeoutMs, onProgress });
  await sayEnd(call, words, came);
}

/**
 * Formats progress as virsh does: below 100 % until the job is complete. virshPrintJobProgress() of libvirt's
 * tools/virsh-domain.c
 */
export function formatProgress(label: string, done: number, total: number): string {
  const share = done >= total ? 100 : Math.min(99.99, Math.floor((done / total) * 10_000) / 100);
  return `\r${label}: [${share.toFixed(2).padStart(5)} %]`;
}

function progressPrinter({ options, output }: Call, label: string): (job: QemuJob) => void {
  let last = "";
  return (job) => {
    const text = formatProgress(label, job["current-progress"], Math.max(1, job["total-progress"]));
    if (!options.has("verbose") || text === last) return;
    output.warn(text);
    last = text;
  };
}

async function sayEnd(call: Call, words: JobMessages, came: Waited): Promise<void> {
  const { instance, options, output } = call;
  const [key, path] = [operand(call, "domain"), operand(call, "path")];
  if (came === "timeout") {
    await endBlockJob(instance, key, { path, end: "abort" });
    throw new SvirtError(words.aborted, { kind: "timeout", remedy: "Allow more time: --timeout" });
  }
  if (came === "failed") {
    throw new SvirtError(words.failed, {
      kind: "failed",
      remedy: "See the guest's log in /var/log/svirt: the disk is unchanged.",
    });
  }
  if (options.has("verbose")) output.warn(formatProgress(words.label, 1, 1));
  if (came === "done") return output.print(`\n${words.done}\n`);
  if (words.end === undefined) return output.print(`\n${words.ready}\n`);
  await endBlockJob(instance, key, { path, end: words.end.how });
  output.print(`\n${words.end.said}\n`);
}

/** Refuses two exclusive options. Throws "usage" with virsh's message. */
export function refuseBoth({ operands, options }: Call, one: string, other: string): void {
  const has = (name: string): boolean => options.has(name) || operands.has(name);
  if (!has(one) || !has(other)) return;
  throw new SvirtError(`Options --${one} and --${other} are mutually exclusive`, {
    kind: "usage",
    remedy: "Remove one of the options.",
  });
}
