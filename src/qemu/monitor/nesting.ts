/** ASCII codes. */
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Whether arrays and objects of a JSON text nest deeper than `mostLevels`. Accepts ill-formed text. */
export function isNestedDeeper(json: Uint8Array, mostLevels: number): boolean {
  let levels = 0;
  for (let at = 0; at < json.length && levels <= mostLevels; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at + 1);
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) levels += 1;
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) levels -= 1;
  }
  return levels > mostLevels;
}

/** Index of the quotation mark that ends a string. */
function endOfString(json: Uint8Array, start: number): number {
  let at = start;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
