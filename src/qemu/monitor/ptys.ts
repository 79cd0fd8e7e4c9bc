import * as v from "valibot";

const chardevReply = v.array(v.object({ label: v.string(), filename: v.string() }));

/**
 * Returns the terminal opened by QEMU for each pty, by device id, from the reply to `query-chardev`. Throws
 * ValiError.
 */
export function parsePtys(answer: unknown): ReadonlyMap<string, string> {
  return new Map(
    v.parse(chardevReply, answer).flatMap(({ label, filename }) => {
      const path = /^pty:(\/dev\/pts\/\d+)$/.exec(filename)?.[1];
      return path === undefined ? [] : [[label.replace(/^char/, ""), path] as const];
    }),
  );
}
