import type { BlockStep } from "./block.ts";

const NAMES: Readonly<Record<BlockStep["do"], true>> = {
  "make-image": true,
  "remove-image": true,
  "change-label": true,
  "set-access": true,
  "start-job": true,
  "cancel-job": true,
  "adopt-chain": true,
};

/** Reports whether a step is a BlockStep. */
export function isBlockStep<Other extends { readonly do: string }>(
  step: Other | BlockStep,
): step is BlockStep {
  return Object.hasOwn(NAMES, step.do);
}

/** Returns the inverse of a step; undefined if it has none. */
export function inverseBlock(done: BlockStep): BlockStep | undefined {
  switch (done.do) {
    case "make-image":
      return { ...done, do: "remove-image" };
    case "change-label":
      return { ...done, from: done.to, to: done.from };
    case "set-access":
      return inverseAccess(done);
    case "start-job":
      return { do: "cancel-job", monitor: done.monitor, job: done.job };
    case "remove-image":
    case "cancel-job":
    case "adopt-chain":
      return undefined;
  }
}

function inverseAccess(done: Extract<BlockStep, { do: "set-access" }>): BlockStep {
  return {
    ...done,
    files: done.files.map((file) => ({
      ...file,
      access: file.access === "read-only" ? "read-write" : "read-only",
      ...(file.lock === undefined
        ? {}
        : { lock: { ...file.lock, as: file.access === "read-only" ? "writer" : "reader" } as const }),
    })),
    nodes: done.nodes.map((node) => ({ ...node, "read-only": node["read-only"] !== true })),
  };
}
