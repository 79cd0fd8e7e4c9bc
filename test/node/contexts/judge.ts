import type { FileKind } from "../../../src/selinux/file-contexts/file-kind.ts";

/** The domain and type of a context: its third part. */
function typeOf(context: string): string {
  return context.split(":")[2] ?? "";
}

/** What is not as the table of programs says, a line each. A program that is not in the table is a fault too. */
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

/** Sockets that wait for the network and are not in the table, as `tcp 22 sshd_t`. */
export function findListenerFaults(text: string, table: readonly string[]): readonly string[] {
  const found = linesOf(text).map((line) => {
    const [protocol = "", port = "", context = ""] = line.split(" ");
    return `${protocol.replace(/6$/, "")} ${port} ${typeOf(context)}`;
  });
  return [...new Set(found)].filter((listener) => !table.includes(listener));
}

/** One path and its label. */
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

/** Reads what listLabels prints; a path that getfattr could not tell the label of is not there. */
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

/** An exception from file contexts: the whole path, and the type that it has instead. */
export interface LabelException {
  readonly path: RegExp;
  readonly type: string;
  readonly reason: string;
}

/** Looks a path's label up in file contexts; undefined where these leave it to others. */
export type LookUp = (path: string, kind: FileKind) => string | undefined;

/** Paths whose type or level is not the policy's default, and exceptions that are no longer true. */
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

/** As restorecon compares without -F: the user of a file's label is whoever made it. */
function withoutUser(context: string): string {
  return context.replace(/^[^:]*:[^:]*:/, "");
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
