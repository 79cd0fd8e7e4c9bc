import * as v from "valibot";

/** One line that test/node/adversary or test/node/liar prints: what was tried and how it went. */
const attemptResult = v.strictObject({
  id: v.string(),
  group: v.picklist(["neighbour", "secrets", "host", "kernel", "own", "handed", "limits", "monitor"]),
  what: v.string(),
  destructive: v.boolean(),
  verdict: v.picklist(["done", "refused", "untried", "hung"]),
  /** The step that failed, and errno's name; a missing fact's name when untried. */
  step: v.optional(v.string()),
  why: v.optional(v.string()),
});
export type AttemptResult = v.InferOutput<typeof attemptResult>;

/** Throws when a line is not what the adversary prints: it could not be started, or ended half-way. */
export function parseAttempts(text: string): readonly AttemptResult[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    if (!line.startsWith("{")) throw new Error(`Cannot run the adversary: ${line}`);
    return v.parse(attemptResult, JSON.parse(line));
  });
}

/** Who tries. */
export const RUNS = ["kvm", "tcg", "net", "label", "twin", "user", "control"] as const;
/** Who tries of the liar's: besides, one that owns what it was handed, as an ordinary user does. */
export const LIAR_RUNS = ["kvm", "tcg", "owner", "control"] as const;
export type Run = (typeof RUNS)[number] | (typeof LIAR_RUNS)[number];

/** What each run has of a guest's two walls. */
export const RUN_MEANS: Readonly<Record<Run, string>> = {
  kvm: "guest A as it runs: its label and its user",
  tcg: "the same for an emulated guest (svirt_tcg_t)",
  net: "the same for a guest with user networking (svirt_net_t)",
  label: "guest A's label alone: root with every capability",
  twin: "guest A's label with the neighbour's own user: what the label keeps apart when users do not",
  owner: "guest A's label, with a user who owns what it was handed: the label alone",
  user: "guest A's user alone: unconfined_t (for comparison, nothing is demanded)",
  control: "unconfined root",
};

/** Every run's results, by the id of the attempt. */
export type Runs = ReadonlyMap<Run, ReadonlyMap<string, AttemptResult>>;
