import type { Claim, Step } from "./step.ts";

const NO_LABEL = "(no label)";

/** One line for a person: what the step does, with the label before and after. */
export function describe(step: Step): string {
  switch (step.do) {
    case "reserve":
      return `reserve ${describeClaim(step.claim)}`;
    case "release":
      return `release ${describeClaim(step.claim)}`;
    case "make-folder":
      return `make folder ${step.path} (mode ${step.mode.toString(8)}, uid ${step.uid}, ${step.label ?? "default label"})`;
    case "remove-folder":
      return `remove folder ${step.path}`;
    case "set-label":
      return `label ${step.file.path}: ${step.from ?? NO_LABEL} -> ${step.to}`;
    case "restore-label":
      return `label ${step.file.path}: ${step.from} -> ${step.to ?? NO_LABEL}`;
    case "spawn":
      return `start ${step.order.program} as uid ${step.order.uid} in ${step.order.context ?? "svirt's own context, not confined"}`;
    case "kill":
      return `end the guest's process (SIGTERM, after ${step.graceMs / 1000} s SIGKILL)`;
    case "check-context":
      return `check that the guest's process runs in ${step.context}`;
    case "greet":
      return `wait for the monitor ${step.monitor}`;
    case "resume":
      return `let the vCPUs run (${step.commands.map(({ execute }) => execute).join(", ")})`;
  }
}

function describeClaim(claim: Claim): string {
  return `${claim.kind} ${claim.key} (${claim.sharing})`;
}
