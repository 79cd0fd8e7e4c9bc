import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import { MOST_MESSAGE_BYTES } from "../monitor/answer-limits.ts";
import { joinBytes, joinLine, type Line } from "../monitor/line-buffer.ts";
import { isNestedDeeper } from "../monitor/nesting.ts";

/** More than any answer of an agent has. */
const MOST_LEVELS = 512;
/** ASCII */
const [QUOTE, BACKSLASH, LETTER_U] = [0x22, 0x5c, 0x75];
const [FIRST_PRINTABLE, LAST_PRINTABLE] = [0x20, 0x7e];
/** After the backslash of an escape come one byte or, as in \u0041, five. */
const FIRST_OF_ESCAPE = 5;
/** Shorter parts are not worth a mark; LineBuffer makes them of 64 KiB, all but the first and the last of a line. */
const LONG_PART_BYTES = 1024;
/** How often another mark is tried, should the guest have written the one before. */
const MOST_TRIES = 100;

const success = v.looseObject({ return: v.unknown() });
const failure = v.object({ error: v.object({ desc: v.string() }) });

/** The agent's answer, of 1 MiB at most, as it said it. Throws "failed" with the agent's words, in virsh's. */
export function parseAgentAnswer(line: Line, command: string): unknown {
  const most = MOST_MESSAGE_BYTES;
  if (line.bytes > most) throw refusal(command, `its answer has more than ${most} bytes`);
  return readAnswer(joinLine(line), command);
}

/**
 * The agent's answer as a JSON document, piece by piece. Long texts, as the 64 MiB of base64 that a file may be, are
 * checked and passed on without ever being in one piece; besides them an answer may have 1 MiB. Throws as
 * parseAgentAnswer() does.
 */
export function formatAgentAnswer(
  line: Line,
  command: string,
  indent: number | undefined,
): Iterable<Uint8Array> {
  const { runs, skeleton } = takeTexts(line, command);
  for (let at = 0; at < MOST_TRIES; at += 1) {
    const mark = `long-text-${at}-`;
    const marked = skeleton.flatMap((bytes, run) =>
      run === 0 ? [bytes] : [new TextEncoder().encode(`${mark}${run - 1}.`), bytes],
    );
    const text = JSON.stringify(readAnswer(joinBytes(marked), command), undefined, indent);
    const pieces = text.split(new RegExp(`${mark}(\\d+)\\.`));
    const numbers = new Set(pieces.filter((_, place) => place % 2 === 1));
    // Each mark once, or the guest has written one, too.
    if (pieces.length === 2 * runs.length + 1 && numbers.size === runs.length) return withRuns(pieces, runs);
  }
  throw refusal(command, "its answer has a key twice, or a text like those that svirt marks its place by");
}

/** The answer without its long texts: the first of them belongs between the first two pieces, and so on. */
interface Taken {
  readonly skeleton: readonly Uint8Array[];
  readonly runs: readonly (readonly Uint8Array[])[];
}

/** A text is long where a whole part of the line lies within it. */
function takeTexts({ parts }: Line, command: string): Taken {
  const skeleton: Uint8Array[][] = [[]];
  const runs: Uint8Array[][] = [];
  let place: Place = { isInText: false, escaped: 0 };
  let [isInRun, bytes] = [false, 0];
  for (const part of parts) {
    const mayBeLong = part.length >= LONG_PART_BYTES && place.isInText && place.escaped === 0;
    const isLong = mayBeLong && isPlain(part);
    if (isLong && !isInRun) {
      runs.push([]);
      skeleton.push([]);
    }
    isInRun = isLong;
    if (isLong) {
      runs.at(-1)?.push(part);
      continue;
    }
    bytes += part.length;
    if (bytes > MOST_MESSAGE_BYTES)
      throw refusal(command, `its answer has more than ${MOST_MESSAGE_BYTES} bytes besides long texts`);
    skeleton.at(-1)?.push(part);
    place = placeAfter(part, place);
  }
  return { skeleton: skeleton.map(joinBytes), runs };
}

/** Where in the JSON a part ends. */
interface Place {
  readonly isInText: boolean;
  /** How many bytes of an escape are still to come. */
  readonly escaped: number;
}

function placeAfter(part: Uint8Array, { escaped: left, isInText: within }: Place): Place {
  let [isInText, escaped] = [within, left];
  for (const byte of part) {
    if (escaped > 0) escaped = escaped === FIRST_OF_ESCAPE && byte !== LETTER_U ? 0 : escaped - 1;
    else if (byte === QUOTE) isInText = !isInText;
    else if (isInText && byte === BACKSLASH) escaped = FIRST_OF_ESCAPE;
  }
  return { isInText, escaped };
}

/** Whether it stands for itself within a text of JSON: ASCII, without quotation mark, escape and control character. */
function isPlain(part: Uint8Array): boolean {
  // No string is made of it: what is read once and thrown away stays in memory for long.
  for (let at = 0; at < part.length; at += 1) {
    const byte = part[at] ?? 0;
    if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

function* withRuns(pieces: readonly string[], runs: Taken["runs"]): Generator<Uint8Array> {
  for (const [place, piece] of pieces.entries()) {
    if (place % 2 === 0) yield new TextEncoder().encode(piece);
    else yield* runs[Number(piece)] ?? [];
  }
}

function readAnswer(json: Uint8Array, command: string): unknown {
  if (isNestedDeeper(json, MOST_LEVELS))
    throw refusal(command, `its answer is nested more than ${MOST_LEVELS} levels deep`);
  const answer = parseJson(json);
  if (v.is(success, answer)) return answer;
  const failed = v.safeParse(failure, answer);
  throw refusal(
    command,
    failed.success ? failed.output.error.desc : "its answer is neither a return nor an error",
  );
}

function refusal(command: string, why: string): SvirtError {
  return new SvirtError(`internal error: unable to execute QEMU agent command '${command}': ${why}`, {
    kind: "failed",
    remedy: `See what it can: svirt qemu-agent-command DOMAIN '{"execute":"guest-info"}'`,
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
