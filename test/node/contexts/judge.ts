import type { FileKind } from "../../../src/selinux/file-contexts/file-kind.ts";

/** Returns the type of a context: its third part. */
function typeOf(context: string): string {
  return context.split(":")[2] ?? "";
}

/**
 * Reports each process that differs from the table of programs, a line each. A program outside the table is a
 * fault too.
 */
export function findProcessFaults(
  text: string,
  table: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return linesOf(text).flatMap((line) => {
    const [, program = "", context = ""] = line.split(" ");
    const allowed = program === "-" ? ["kernel_t"] : table.get(program);
    if (allowed === undefined) return [`${program} runs in ${context}: it is not in the table`];
    return allowed.includes(typeOf(context))
      ? []
      : [`${program} runs in ${context}, not in ${allowed.join(" or ")}`];
  });
}

/** Reports listening sockets outside the table, such as `tcp 22 sshd_t`. */
export function findListenerFaults(text: string, table: readonly string[]): readonly string[] {
  const found = linesOf(text).map((line) => {
    const [protocol = "", port = "", context = ""] = line.split(" ");
    return `${protocol.replace(/6$/, "")} ${port} ${typeOf(context)}`;
  });
  return [...new Set(found)].filter((listener) => !table.includes(listener));
}

/** Path and its label. */
export interface Labelled {
  readonly path: string;
  readonly kind: FileKind;
  readonly context: string;
}

const KINDS = new Map<string, FileKind>([
  ["f", "file"],
  ["d", "folder"],
  ["l", "symlink"],
  ["c", "character"],
  ["b", "block"],
  ["s", "socket"],
  ["p", "fifo"],
]);

/** Parses the output of listLabels(), which omits paths whose label getfattr could not read. */
export function parseLabels(text: string): readonly Labelled[] {
  let kind: FileKind | undefined;
  let path = "";
  return linesOf(text).flatMap((line) => {
    kind = KINDS.get(/^kind (.)$/.exec(line)?.[1] ?? "") ?? kind;
    path = /^# file: (.*)$/.exec(line)?.[1] ?? path;
    const [, context] = /^security\.selinux="(.*)"$/.exec(line) ?? [];
    return context === undefined || kind === undefined ? [] : [{ path, kind, context }];
  });
}

/** Exception from file contexts: the whole path, and its different type. */
export interface LabelException {
  readonly path: RegExp;
  readonly type: string;
  readonly reason: string;
}

/** Looks up a path's label in file contexts; undefined if they do not define one. */
export type LookUp = (path: string, kind: FileKind) => string | undefined;

/** Reports paths whose type or level is not the policy's default, and outdated exceptions. */
export function findLabelFaults(
  labels: readonly Labelled[],
  lookUp: LookUp,
  exceptions: readonly LabelException[],
): readonly string[] {
  const wrong = labels
    .map((one) => ({ ...one, wanted: lookUp(one.path, one.kind) ?? "none" }))
    .filter(({ context, wanted }) => withoutUser(context) !== withoutUser(wanted));
  const faults = wrong.filter((one) => exceptions.every((exception) => !isException(one, exception)));
  const stale = exceptions.filter((exception) => !wrong.some((one) => isException(one, exception)));
  return [
    ...faults.map(({ path, context, wanted }) => `${path} has ${context}, not ${wanted}`),
    ...stale.map(({ path, type }) => `${path} has not ${type} any more: take it off the list`),
  ];
}

function isException({ path, context }: Labelled, exception: LabelException): boolean {
  return exception.path.test(path) && typeOf(context) === exception.type;
}

/** Removes the user and role, as restorecon compares without -F: the creator of a file decides the user. */
function withoutUser(context: string): string {
  return context.replace(/^[^:]*:[^:]*:/, "");
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
