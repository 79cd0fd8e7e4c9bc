import { SvirtError } from "../../errors.ts";

/** A key that ends a talk with a guest's console: the byte that it sends, and how it is shown. */
export interface EscapeKey {
  readonly byte: number;
  /** `^] (Ctrl + ])` */
  readonly shown: string;
}

/** What Ctrl does to a letter's code. ascii(7) */
const CONTROL = 0x40;

/** `^]` is Ctrl and `]`, one other letter is itself, as virsh takes it. Throws "usage" in virsh's words. */
export function parseEscapeKey(text: string): EscapeKey {
  const letter = /^\^([a-z@-_])$/.exec(text)?.[1];
  if (letter !== undefined) {
    return { byte: letter.toUpperCase().charCodeAt(0) ^ CONTROL, shown: `${text} (Ctrl + ${letter})` };
  }
  if (/^[!-~]$/.test(text) && text !== "^") return { byte: text.charCodeAt(0), shown: text };
  throw new SvirtError(`Invalid string '${text}' for escape sequence`, {
    kind: "usage",
    remedy: "Write ^ and a letter for Ctrl and that letter, such as '^]', or one letter.",
  });
}
