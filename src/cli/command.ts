import type { CommandName } from "../access/command-uses.ts";
import type { ObjectChange } from "../plan/change/object-change.ts";
import type { StagedPlan } from "../plan/change/staged-plan.ts";
import type { Instance } from "../state/instance.ts";
import type { RunningGuest } from "../state/running-guests.ts";
import { visibleJson } from "./visible-json.ts";

/** Argument by position. */
export interface Operand {
  readonly name: string;
  readonly summary: string;
  readonly isOptional?: boolean;
  /** At least an argument; options may be between them. */
  readonly isRepeated?: boolean;
  /** Whether this argument begins a command of its own. All further words then belong to that command. */
  isCommand?(word: string, rest: readonly string[]): boolean;
}

/** Argument by name: `--all`, or with a value `--timeout SECONDS`. */
export interface Option {
  readonly name: string;
  readonly summary: string;
  /** Form with a single letter: `-n`. */
  readonly short?: string;
  /** Name of the value in the help; undefined if the option has no value. */
  readonly value?: string;
}

/** Name and arguments of a command, from which help, completion and manual are made. */
export interface CommandSpec {
  /** One word or two, as in the table of access. */
  readonly name: CommandName;
  readonly summary: string;
  /** Paragraphs for `--help`. */
  readonly details?: string;
  readonly operands: readonly Operand[];
  readonly options: readonly Option[];
  /**
   * Interrupted work finished or undone before the command runs.
   *
   * - `first`, the default: ended guests, and changes of the guest in the operand `domain`.
   * - `all`: ended guests, and changes of all guests, or of the guests in the operands.
   * - `others`: ended guests, and no changes: the command ends the guest with its changes.
   * - `root`: `first`, but only for root: the command must not need the folders of an ordinary user.
   * - `none`: no work. The command changes nothing and shows no state of guests, or recovers by itself.
   */
  readonly recovery?: "first" | "all" | "others" | "root" | "none";
  /**
   * Returns the inner command, which this command is about, from the arguments; undefined if there is none. A
   * caller needs the right to both commands. svirt recovers first as the inner command says.
   */
  inner?(parsed: ParsedArguments): InnerCommand | undefined;
}

/** Command in the arguments of another command, with its own arguments. */
export interface InnerCommand {
  readonly name: CommandName;
  readonly words: readonly string[];
}

/** Output of a command. Standard output gets data and messages of success, standard error all other text. */
export interface Output {
  print(text: string): void;
  /** Prints output that is too large for a string. Returns false if its reader has closed it. */
  printBytes(bytes: Uint8Array): boolean;
  /** Prints while other work goes on. Returns false if its reader has closed it. */
  printSoon(text: string): Promise<boolean>;
  warn(text: string): void;
}

/** Throws if the command is not permitted with these arguments. */
export type CheckCommand = (spec: CommandSpec, words: readonly string[]) => void;

/** Arguments after a command's name. */
export interface ParsedArguments {
  readonly operands: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

/** Call of a command. */
export interface Call extends ParsedArguments {
  readonly instance: Instance;
  readonly output: Output;
  readonly version: string;
  /** Running guests, as reported by the recovery before the command; empty without recovery. */
  readonly running: readonly RunningGuest[];
  /** Runs another command line, if the check allows it. Returns its exit code; throws as commands do. */
  carryOut(words: readonly string[], check: CheckCommand): Promise<number>;
  /** Returns the command of that name. */
  findCommand(name: string): Promise<Command | undefined>;
}

/** Command: its specification and its function, which returns an exit code; undefined is 0. */
export interface Command {
  readonly spec: CommandSpec;
  run(call: Call): Promise<number | undefined>;
  /**
   * Returns the steps that `run` would take, and changes nothing; undefined if there are none. Absent:
   * `svirt plan` prints no steps.
   */
  plan?(call: Call): Promise<CommandPlan | undefined>;
}

/**
 * Steps of a command. A recorded change also has the point from which an interruption is finished, and work
 * of QEMU has pauses.
 */
export type CommandPlan = Partial<ObjectChange & StagedPlan> & Pick<ObjectChange, "steps">;

/** Option of every command with printed data. */
export const JSON_OPTION: Option = { name: "json", summary: "print JSON" };

/** Option of commands reading XML. */
export const VALIDATE_OPTION: Option = {
  name: "validate",
  summary: "refuse XML that libvirt's schema does not allow; svirt always does so",
};

/** Operand of nearly all commands. */
export const DOMAIN_OPERAND: Operand = { name: "domain", summary: "name, id or uuid of a domain" };

/** Operand of commands about a saved file. */
export const SAVE_FILE_OPERAND: Operand = {
  name: "file",
  summary: "a file written by svirt save or virsh save",
};

/** Operand of commands replacing the XML in a saved state. */
export const CHANGED_XML_OPERAND: Operand = {
  name: "xml",
  summary: "a changed XML of the same domain: a file, or - for standard input",
};

/** Operand of commands about a network. */
export const NETWORK_OPERAND: Operand = { name: "network", summary: "name or uuid of a network" };

/** Operand of commands about a filter of interfaces. */
export const FILTER_OPERAND: Operand = { name: "nwfilter", summary: "name or uuid of a network filter" };

/** Operand of commands about a device of the host. */
export const DEVICE_OPERAND: Operand = { name: "device", summary: "name of a device of the host" };

/** Operand of commands about a network interface of the host. */
export const INTERFACE_OPERAND: Operand = {
  name: "interface",
  summary: "name of a network interface of the host",
};

/** Operand of commands about a storage pool. */
export const POOL_OPERAND: Operand = { name: "pool", summary: "name or uuid of a storage pool" };

/** Operand of commands about a secret. */
export const SECRET_OPERAND: Operand = { name: "secret", summary: "uuid of a secret" };

/** Operand of commands about a volume. */
export const VOLUME_OPERAND: Operand = { name: "vol", summary: "name, key or path of a volume" };

/** Operand of commands inspecting any image. */
export const IMAGE_OPERAND: Operand = {
  name: "vol",
  summary: "the path of an image or a block device; with --pool, the name of a volume too",
};

/** Option of commands about a volume. */
export const OF_POOL_OPTION: Option = {
  name: "pool",
  value: "POOL",
  summary: "name or uuid of the volume's pool",
};

/** Returns an operand checked by the parser. */
export function operand(call: Call, name: string): string {
  return call.operands.get(name) ?? "";
}

/** Prints a value as a single JSON document with a newline at its end. */
export function printJson(call: Call, value: unknown): void {
  call.output.print(`${visibleJson(JSON.stringify(value, undefined, 2))}\n`);
}
