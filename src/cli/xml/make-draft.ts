import { type Draft, emptyDraft } from "../../xml/draft.ts";

/** Makes an element with the attributes of known values. */
export function makeDraft(tag: string, attributes: Readonly<Record<string, string | undefined>>): Draft {
  const draft = emptyDraft(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) draft.attributes.set(name, value);
  return draft;
}
