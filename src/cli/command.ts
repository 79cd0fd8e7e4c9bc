import type { Node } from "../state/instance.ts";
import type { GuestRecord } from "../state/record.ts";

/** An argument by its place. */
export interface Operand {
  readonly name: string;
  readonly summary: string;
  readonly isOptional?: boolean;
  /** One or more; options may stand among them. */
  readonly isRepeated?: boolean;
}

/** An argument by its name: `--all`, or with a value `--timeout SECONDS`. */
export interface Option {
  readonly name: string;
  readonly summary: string;
  /** One letter that stands for it: `-n`. */
  readonly short?: string;
  /** What the value is called in the help; undefined: it takes none. */
  readonly value?: string;
}

/** What a command is called and takes: help, completion and manual are made from it. A name may have two words. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** Paragraphs for `--help`. */
  readonly details?: string;
  readonly operands: readonly Operand[];
  readonly options: readonly Option[];
  /**
   * What of interrupted work is finished or undone before the command runs.
   *
   * - `first`, the default: what has ended, and changes of the guest that the operand `domain` names.
   * - `all`: the same for all guests, or those that the operands name.
   * - `others`: what has ended, and no change: the command ends the guest with its changes.
   * - `root`: `first`, but only for root: the command must not need the folders of an ordinary user.
   * - `none`: nothing. The command changes nothing and shows no state of guests, or recovers by itself.
   */
  readonly recovery?: "first" | "all" | "others" | "root" | "none";
}

/** Where a command writes. Standard output is data and messages of success; all else goes to standard error. */
export interface Output {
  print(text: string): void;
  /** The same for what is too large to be a text. */
  printBytes(bytes: Uint8Array): void;
  warn(text: string): void;
}

/** Throws when a command may not be called with these words. */
export type CheckCommand = (spec: CommandSpec, words: readonly string[]) => void;

/** One call of a command. */
export interface Call {
  readonly node: Node;
  readonly operands: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly output: Output;
  readonly version: string;
  /** The guests that run, as the recovery before the command saw them; none without recovery. */
  readonly running: readonly GuestRecord[];
  /** Carries out another command line, if the check lets it. Gives its exit code; throws as commands do. */
  carryOut(words: readonly string[], check: CheckCommand): Promise<number>;
}

/** A command: its specification, and what it does. It gives an exit code other than 0 only for "partly". */
export interface Command {
  readonly spec: CommandSpec;
  run(call: Call): Promise<number | undefined>;
}

/** The option that every command that prints data has. */
export const JSON_OPTION: Option = { name: "json", summary: "print JSON" };

/** The operand of nearly all commands. */
export const DOMAIN_OPERAND: Operand = { name: "domain", summary: "name, id or uuid of a domain" };

/** The operand of what looks at storage. */
export const VOLUME_OPERAND: Operand = { name: "volume", summary: "the path of an image or a block device" };

/** An operand that the parser has made sure of. */
export function operand(call: Call, name: string): string {
  return call.operands.get(name) ?? "";
}

/** Prints a value as JSON, one document with a newline at its end. */
export function printJson(call: Call, value: unknown): void {
  call.output.print(`${JSON.stringify(value, undefined, 2).replace(STRANGE, escapeUnits)}\n`);
}

/** What JSON.stringify leaves as it is, and a terminal may not. */
const STRANGE = /[\p{Cf}\p{Zl}\p{Zp}\u007f-\u009f]/gu;

function escapeUnits(letter: string): string {
  return Array.from(
    { length: letter.length },
    (_, at) => `\\u${letter.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}
