import * as v from "valibot";
import type { RecordedChange } from "../../plan/change/object-change.ts";
import { OBJECT_KINDS } from "../../plan/change/object-kinds.ts";
import { aString } from "../../plan/facts/plain-schemas.ts";
import { step } from "../../plan/steps/kinds.ts";

/**
 * Record of a change of an object that is no running guest, in `/etc/svirt/changes/KIND-KEY.json`. It is
 * written before the first step, and removed after the last one.
 */
export const changeRecord = v.strictObject({
  format: v.literal(1),
  kind: v.picklist(OBJECT_KINDS),
  /** Identifies the object among those of its kind. */
  key: aString,
  /** Command, for the operator. */
  what: aString,
  steps: v.array(step),
  /** Point from which an interruption is finished: CommitPoint. */
  commit: v.union([v.picklist(["begin", "end"]), v.pipe(v.number(), v.integer(), v.minValue(0))]),
});

/** Parses the text of a record. Throws the errors of valibot and JSON.parse() for any other text. */
export function parseChange(text: string): RecordedChange {
  const { commit, key, kind, steps, what } = v.parse(changeRecord, JSON.parse(text));
  return { object: { kind, key }, what, steps, commit };
}

/** Formats the record of a change. */
export function formatRecord({ commit, object, steps, what }: RecordedChange): string {
  const value: v.InferInput<typeof changeRecord> = {
    format: 1,
    kind: object.kind,
    key: object.key,
    what,
    steps: [...steps],
    commit,
  };
  return `${JSON.stringify(value)}\n`;
}
