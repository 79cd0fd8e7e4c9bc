/** Conversion between a text and a value. */
export interface ValueForm<T> {
  /** Description for a message: "a number from 1 to 8", `one of "yes", "no"`. */
  readonly expects: string;
  /** `undefined` for a text outside `expects`. */
  decode(text: string): T | undefined;
  encode(value: T): string;
}

/** Any text, unchanged. */
export const anyText: ValueForm<string> = { expects: "text", decode: (text) => text, encode: (text) => text };

/** Returns the form of a value with these texts. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueForm<W> {
  return new WordForm(words);
}

// A class for the reason given in field.ts. It precedes its instances in this file.
class WordForm<W extends string> implements ValueForm<W> {
  declare private readonly words: readonly W[];

  constructor(words: readonly W[]) {
    this.words = words;
  }

  get expects(): string {
    const named = this.words.map((word) => `"${word}"`).join(", ");
    return this.words.length === 1 ? named : `one of ${named}`;
  }

  decode(text: string): W | undefined {
    return this.words.find((word) => word === text);
  }

  encode(word: W): string {
    return word;
  }
}

/** `yes` or `no`. */
export const yesNo = truth("yes", "no");

/** `on` or `off`. */
export const onOff = truth("on", "off");

/**
 * Returns the form of a whole decimal number within bounds; surrounding white space is accepted, as in
 * libvirt.
 */
export function integer(least: number, most: number): ValueForm<number> {
  return new IntegerForm(least, most);
}

/**
 * Returns the form of a number in hexadecimal (`0x1f`) or decimal, written as `0x` with at least `digits`
 * digits.
 */
export function hexadecimal(most: number, digits: number): ValueForm<number> {
  return {
    expects: `a number from 0x0 to 0x${most.toString(16)}`,
    decode: (text) =>
      within(/^(?:0x[0-9a-fA-F]{1,8}|[0-9]{1,8})$/.test(text) ? Number(text) : Number.NaN, 0, most),
    encode: (value) => `0x${value.toString(16).padStart(digits, "0")}`,
  };
}

/** Returns the form of a text with a pattern; `expects` describes it in messages. */
export function matching(pattern: RegExp, expects: string): ValueForm<string> {
  return { expects, decode: (text) => (pattern.test(text) ? text : undefined), encode: (text) => text };
}

class IntegerForm implements ValueForm<number> {
  declare private readonly least: number;
  declare private readonly most: number;

  constructor(least: number, most: number) {
    this.least = least;
    this.most = most;
  }

  get expects(): string {
    return `a whole number from ${this.least} to ${this.most}`;
  }

  decode(text: string): number | undefined {
    return within(/^\s*-?[0-9]{1,16}\s*$/.test(text) ? Number(text) : Number.NaN, this.least, this.most);
  }

  encode(value: number): string {
    return String(value);
  }
}

function truth(yes: string, no: string): ValueForm<boolean> {
  const words = oneOf(yes, no);
  return {
    get expects() {
      return words.expects;
    },
    decode(text) {
      const word = words.decode(text);
      return word === undefined ? undefined : word === yes;
    },
    encode: (value) => (value ? yes : no),
  };
}

function within(value: number, least: number, most: number): number | undefined {
  return value >= least && value <= most ? value : undefined;
}
