import * as v from "valibot";

/** Line that test/node/adversary or test/node/liar prints: an attempt and its result. */
const attemptResult = v.strictObject({
  id: v.string(),
  group: v.picklist(["neighbour", "secrets", "host", "kernel", "own", "handed", "limits", "monitor"]),
  what: v.string(),
  destructive: v.boolean(),
  verdict: v.picklist(["done", "refused", "untried", "hung"]),
  /** Failed step, and the name of its errno; the name of the missing fact if untried. */
  step: v.optional(v.string()),
  why: v.optional(v.string()),
});
export type AttemptResult = v.InferOutput<typeof attemptResult>;

/** Parses the adversary's lines. Throws for any other line: the adversary could not start, or ended early. */
export function parseAttempts(text: string): readonly AttemptResult[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    if (!line.startsWith("{")) throw new Error(`Cannot run the adversary: ${line}`);
    return v.parse(attemptResult, JSON.parse(line));
  });
}

/** Runs of the adversary. */
export const RUNS = ["kvm", "tcg", "net", "label", "twin", "user", "control"] as const;
/** Runs of the liar. In `owner` the liar owns the files passed to it, as with an ordinary user. */
export const LIAR_RUNS = ["kvm", "tcg", "owner", "control"] as const;
export type Run = (typeof RUNS)[number] | (typeof LIAR_RUNS)[number];

/** Label and user of each run. */
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

/** Results of every run, by the ID of the attempt. */
export type Runs = ReadonlyMap<Run, ReadonlyMap<string, AttemptResult>>;
