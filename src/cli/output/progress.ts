import type { Progress } from "../../run/actor.ts";
import type { Call, Option } from "../command.ts";

/** Time before a command reports its progress, and between two reports, as in virsh. */
const QUIET_MS = 2000;
const EVERY_MS = 500;

/** Option of long-running commands. */
export const VERBOSE_OPTION: Option = { name: "verbose", summary: "show the progress" };

/** Runs the work and reports its progress on standard error, in virsh's form: `Save: [42.00 %]`. */
export async function withProgress<Result>(
  { instance, options, output }: Call,
  title: string,
  work: (onProgress: Progress) => Promise<Result>,
): Promise<Result> {
  let quietUntilMs = instance.host.nowMs() + (options.has(VERBOSE_OPTION.name) ? 0 : QUIET_MS);
  let shown = "";
  const show = (done: number, total: number): void => {
    const nowMs = instance.host.nowMs();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + EVERY_MS;
    print(total === 0 ? 100 : (100 * done) / total);
  };
  const print = (percent: number): void => {
    const text = `\r${title}: [${percent.toFixed(2).padStart(5)} %]`;
    if (text !== shown) output.warn(text);
    shown = text;
  };
  try {
    const result = await work(show);
    if (shown !== "") print(100);
    return result;
  } finally {
    if (shown !== "") output.warn("\n");
  }
}
