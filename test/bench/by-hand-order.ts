import * as v from "valibot";
import { step } from "../../src/plan/steps/kinds.ts";

const MODE_BASE = 8;

/** Input for starting the guest of a plan without svirt. */
export interface ByHand {
  /** Shell script that makes the folders and labels the files as the plan says. It is not measured. */
  readonly prepare: string;
  /** File that test/bench/by-hand.c reads. */
  readonly order: string;
  /** Number of commands that svirt sends to the monitor. */
  readonly monitorCommands: number;
}

/** Reads the output of `svirt plan --json`. Throws if it is not the plan of a start. */
export function readPlan(json: string): ByHand {
  const steps = v.parse(v.array(step), JSON.parse(json));
  const spawn = steps.find((each) => each.do === "spawn");
  if (spawn === undefined) throw new Error("the plan does not start anything");
  const { context, environment, events, files, logFile, program, sockets, uid, words, workFolder } =
    spawn.order;
  return {
    prepare: steps
      .flatMap((each) => {
        if (each.do === "make-folder") {
          const { label, mode, path } = each;
          const made = `mkdir -p ${path} && chmod ${mode.toString(MODE_BASE)} ${path} && chown ${each.uid}:${each.uid} ${path}`;
          return label === undefined ? [made] : [made, setLabel(path, label)];
        }
        return each.do === "set-label" ? [setLabel(each.file.path, each.to)] : [];
      })
      .join("\n"),
    order: [
      `user ${uid}`,
      ...(context === undefined ? [] : [`context ${context}`]),
      `folder ${workFolder}`,
      `log ${logFile}`,
      ...sockets.map(({ path }) => `socket ${path}`),
      ...files.map(({ access, file }) => `file ${access === "read-only" ? "r" : "w"} ${file.path}`),
      ...(events === undefined ? [] : [`file s ${events.path}`]),
      ...Object.entries(environment).map(([name, value]) => `env ${name}=${value}`),
      ...[program, ...words].map((word) => `word ${word}`),
      "",
    ].join("\n"),
    // The only connection of a start begins with qmp_capabilities.
    monitorCommands:
      1 + steps.reduce((sum, each) => sum + (each.do === "resume" ? each.commands.length : 0), 0),
  };
}

function setLabel(path: string, label: string): string {
  return `setfattr -n security.selinux -v ${label} ${path}`;
}
