import { isCommandName } from "../../../access/command-uses.ts";
import { SvirtError } from "../../../errors.ts";
import { formatSteps } from "../../../plan/steps/describe.ts";
import { type PlanSubject, planDomain } from "../../../vm/plan/plan-domain.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { parseArguments } from "../../arguments/parse-arguments.ts";
import {
  type Call,
  type Command,
  type CommandPlan,
  type InnerCommand,
  JSON_OPTION,
  operand,
  type ParsedArguments,
  printJson,
} from "../../command.ts";
import { DRY_RUN_OPTION } from "../../label-changes.ts";
import { formatPlan } from "../../output/format-plan.ts";

/** Options of `svirt plan` itself. */
const OWN: readonly string[] = ["--stop", "--json"];

/** `svirt plan DOMAIN` and `svirt plan COMMAND ARGUMENT...` */
export const command: Command = {
  spec: {
    name: "plan",
    summary:
      "print all steps of a start or of another command, with labels before and after, and change nothing",
    details:
      "A running domain has no steps, since a start does not change it. --stop prints the steps of its end.\n" +
      "With the name of a command and its arguments, prints the steps of that command, such as svirt plan net-start lan, and from which\n" +
      "step on an interruption is finished instead of undone. A command with the option --dry-run prints what that option prints.\n" +
      "An editor is run, and its text dropped after the steps are printed. A key needs the right to the command.\n" +
      "Where QEMU works in between, as for a merge, a line says so, and the steps after it are those of its success.",
    operands: [
      {
        name: "domain",
        summary: "name, id or uuid of a domain; a path with a /; - for standard input; or a command",
        isCommand: (word, rest) =>
          commandIn(word, rest) !== undefined &&
          !rest.includes("--help") &&
          rest.some((one) => !OWN.includes(one)),
      },
      {
        name: "argument",
        summary: "arguments and options of the command",
        isOptional: true,
        isRepeated: true,
      },
    ],
    options: [{ name: "stop", summary: "print the steps of its end instead" }, JSON_OPTION],
    inner: innerOf,
  },
  async run(call) {
    const inner = innerOf(call);
    if (inner !== undefined) {
      await printCommand(call, inner);
      return undefined;
    }
    if (call.rest.length > 0) throw withoutSteps(operand(call, "domain"));
    const what = call.options.has("stop") ? "end" : "start";
    const { runningName, steps } = await planDomain(call.instance, subjectOf(call), what);
    if (call.options.has("json")) printJson(call, steps);
    else if (runningName !== undefined && steps.length === 0)
      call.output.print(`Domain '${runningName}' is already active\n\n`);
    else call.output.print(formatSteps(steps));
    return undefined;
  },
};

function subjectOf(call: Call): PlanSubject {
  const key = operand(call, "domain");
  return key === "-" || key.includes("/") ? { xml: readInputFile(call, key) } : { key };
}

/** Reports whether a word names a command without arguments. A domain of that name is planned by its UUID. */
function isLoneCommand(word: string): boolean {
  return word === "net-create-default";
}

/** Divides words into a command and its arguments. A command may have two words, such as `label set`. */
function commandIn(word: string, rest: readonly string[]): InnerCommand | undefined {
  const [second, ...others] = rest;
  const pair = `${word} ${second ?? ""}`;
  if (isCommandName(pair)) return { name: pair, words: others };
  return isCommandName(word) ? { name: word, words: rest } : undefined;
}

/** Returns the command to be planned, without the option --json of `svirt plan`; undefined for a domain. */
function innerOf({ operands, options, rest }: ParsedArguments): InnerCommand | undefined {
  const word = operands.get("domain") ?? "";
  if (options.has("help") || (rest.length === 0 && !isLoneCommand(word))) return undefined;
  const inner = commandIn(word, rest);
  return inner && { ...inner, words: inner.words.filter((one) => one !== "--json") };
}

async function printCommand(call: Call, { name, words }: InnerCommand): Promise<void> {
  const planned = await call.findCommand(name);
  const has = (option: string): boolean => planned?.spec.options.some((one) => one.name === option) === true;
  const isJson = call.options.has("json") || call.rest.includes("--json");
  if (planned?.plan !== undefined) {
    const all = isJson && has("json") ? ["--json", ...words] : words;
    print(call, await planned.plan({ ...call, ...parseArguments(planned.spec, all) }), isJson);
  } else if (planned !== undefined && has(DRY_RUN_OPTION.name)) {
    const parsed = parseArguments(planned.spec, [`--${DRY_RUN_OPTION.name}`, ...words]);
    // Also of a command without that option: a dry run prints its steps as JSON all the same.
    const options = new Map([...parsed.options, ...(isJson ? [["json", ""] as const] : [])]);
    await planned.run({ ...call, ...parsed, options });
  } else throw withoutSteps(name);
}

function withoutSteps(name: string): SvirtError {
  return new SvirtError(`Cannot plan '${name}': svirt prints no steps of this command`, {
    kind: "usage",
    remedy: "See the commands of which it does: svirt plan --help",
  });
}

function print(call: Call, plan: CommandPlan | undefined, isJson: boolean): void {
  if (isJson) printJson(call, plan ?? { steps: [] });
  else call.output.print(formatPlan(plan ?? { steps: [] }));
}
