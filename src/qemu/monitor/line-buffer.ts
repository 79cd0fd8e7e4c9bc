/** A line without its newline, in the parts in which it is stored. */
export interface Line {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

const NEWLINE = 0x0a;
const BLOCK_BYTES = 65_536;

/**
 * Splits a stream into lines. Scans and copies each byte once, however small the pieces are. The caller
 * limits the length of a line: it checks `pendingBytes` after each piece.
 */
export class LineBuffer {
  /** Parts of the incomplete line. The last part is filled up to `#filled`. */
  #parts: Uint8Array[] = [];
  #filled = 0;
  #bytes = 0;

  get pendingBytes(): number {
    return this.#bytes;
  }

  /** Adds the next piece, which the caller may then overwrite. Returns the completed lines. */
  add(piece: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
      this.#keep(piece.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    this.#keep(piece.subarray(start));
    return lines;
  }

  #keep(piece: Uint8Array): void {
    this.#bytes += piece.length;
    const last = this.#parts.at(-1);
    const fits = Math.min(piece.length, (last?.length ?? 0) - this.#filled);
    last?.set(piece.subarray(0, fits), this.#filled);
    this.#filled += fits;
    if (fits === piece.length) return;
    const rest = piece.subarray(fits);
    // The first part has the size of its content, since most lines arrive in a single piece.
    const isFirst = this.#parts.length === 0;
    const part = new Uint8Array(isFirst ? rest.length : Math.max(rest.length, BLOCK_BYTES));
    part.set(rest);
    this.#parts.push(part);
    this.#filled = rest.length;
  }

  #take(): Line {
    const last = this.#parts.pop();
    const parts = last === undefined ? [] : [...this.#parts, last.subarray(0, this.#filled)];
    const line = { parts, bytes: this.#bytes };
    [this.#parts, this.#filled, this.#bytes] = [[], 0, 0];
    return line;
  }
}

/** Joins the parts of a line. */
export function joinLine({ parts }: Line): Uint8Array {
  return joinBytes(parts);
}

/** Joins byte arrays. Returns a lone array without a copy. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array()] = parts;
  if (parts.length <= 1) return first;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
