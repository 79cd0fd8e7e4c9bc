import { SEE_QEMU_LOG, SvirtError } from "../../errors.ts";
import { isNestedDeeper } from "./nesting.ts";

/** Command for QEMU's monitor. qemu.git docs/interop/qmp-spec.rst */
export interface QmpCommand {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** Something that QEMU reports by itself. qemu.git qapi/ */
export interface QmpEvent {
  readonly is: "event";
  readonly name: string;
  readonly facts: ReadonlyMap<string, unknown>;
  readonly atMs: number;
}

/** A message of QEMU's monitor. Replies carry the id of their command; events may come at any time. */
export type QmpMessage =
  | { readonly is: "greeting"; readonly version: string }
  | { readonly is: "return"; readonly id: number | undefined; readonly value: unknown }
  | { readonly is: "error"; readonly id: number | undefined; readonly description: string }
  | QmpEvent;

/** Maximum nesting depth of an answer. A disk has at most 200 images, each nested in its overlay. */
const MOST_LEVELS = 512;

/** Formats a command as a line. Its reply carries `id`. */
export function formatQmpCommand({ execute, arguments: args }: QmpCommand, id: number): string {
  return `${JSON.stringify({ execute, ...(args === undefined ? {} : { arguments: args }), id })}\n`;
}

/**
 * Parses a line of the monitor's stream; undefined for an empty line. Throws "failed" for anything but a
 * single JSON object, or for deeper nesting.
 */
export function parseQmpLine(line: Uint8Array): QmpMessage | undefined {
  if (line.length === 0) return undefined;
  const text = new TextDecoder().decode(line).trim();
  if (text === "") return undefined;
  if (isNestedDeeper(line, MOST_LEVELS))
    throw notQmp(`a message is nested more than ${MOST_LEVELS} levels deep`);
  const fields = fieldsOf(parseJson(text));
  if (fields.has("return")) return { is: "return", id: idOf(fields), value: fields.get("return") };
  if (fields.has("error")) {
    const description = fieldsOf(fields.get("error")).get("desc");
    return { is: "error", id: idOf(fields), description: textOf(description) ?? "no reason given" };
  }
  const event = fields.get("event");
  if (typeof event === "string") {
    return { is: "event", name: event, facts: fieldsOf(fields.get("data")), atMs: timeOf(fields) };
  }
  if (fields.has("QMP")) return { is: "greeting", version: versionOf(fields.get("QMP")) };
  throw notQmp("a message must be a greeting, a reply or an event");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SvirtError("Cannot parse QEMU's monitor: a line is not JSON", {
      kind: "failed",
      remedy: SEE_QEMU_LOG,
      cause,
    });
  }
}

/** Fields of an object as a map, so that no name from QEMU meets a prototype. Any other value has none. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : new Map();
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function idOf(fields: ReadonlyMap<string, unknown>): number | undefined {
  return numberOf(fields.get("id"));
}

function timeOf(fields: ReadonlyMap<string, unknown>): number {
  const stamp = fieldsOf(fields.get("timestamp"));
  const [seconds = 0, microseconds = 0] = [
    numberOf(stamp.get("seconds")),
    numberOf(stamp.get("microseconds")),
  ];
  return seconds * 1000 + Math.floor(microseconds / 1000);
}

function versionOf(greeting: unknown): string {
  const numbers = fieldsOf(fieldsOf(fieldsOf(greeting).get("version")).get("qemu"));
  return ["major", "minor", "micro"].map((name) => numberOf(numbers.get(name)) ?? 0).join(".");
}

/** Returns the error for a message in violation of QMP. */
export function notQmp(what: string): SvirtError {
  return new SvirtError(`Cannot parse QEMU's monitor: ${what}`, {
    kind: "failed",
    remedy: SEE_QEMU_LOG,
  });
}
