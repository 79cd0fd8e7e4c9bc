/** Element in the making. It holds children or text, never both. */
export interface Draft {
  readonly tag: string;
  readonly attributes: Map<string, string>;
  /** In order; a string is XML, written unchanged. */
  readonly children: (Draft | string)[];
  text: string | undefined;
  /** Whether an empty element has a start tag and an end tag, on two lines. */
  readonly isPaired?: boolean;
}

/** Returns an element without content. */
export function emptyDraft(tag: string): Draft {
  return { tag, attributes: new Map(), children: [], text: undefined };
}

/** Returns an element with only text. */
export function textDraft(tag: string, text: string): Draft {
  return { ...emptyDraft(tag), text };
}

/** Returns `<tag>…</tag>`. */
export function parentDraft(tag: string, children: readonly Draft[]): Draft {
  const draft = emptyDraft(tag);
  draft.children.push(...children);
  return draft;
}

/** Returns `<tag name='value'/>`. */
export function attributesDraft(tag: string, attributes: Readonly<Record<string, string>>): Draft {
  const draft = emptyDraft(tag);
  for (const [name, value] of Object.entries(attributes)) draft.attributes.set(name, value);
  return draft;
}
