import { SvirtError } from "../../errors.ts";

/** Key for the end of a console connection: its byte, and its displayed form. */
export interface EscapeKey {
  readonly byte: number;
  /** `^] (Ctrl + ])` */
  readonly shown: string;
}

/** Bit changed by Ctrl in a letter's code. ascii(7) */
const CONTROL = 0x40;

/**
 * Parses a key as virsh does: `^]` is Ctrl and `]`, and a single character is itself. Throws "usage" with
 * virsh's message.
 */
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
