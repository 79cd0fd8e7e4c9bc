import { SvirtError } from "../../errors.ts";
import type { Since } from "../../vm/explain/explain-logs.ts";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?Z?)?$/;

/** Parses a point in time: an age (`10m`) or a date. Throws "usage". */
export function parseSince(text: string): Since {
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS.get(unit);
  if (unitMs !== undefined) return { agoMs: Number(count) * unitMs };
  const atMs = DATE.test(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (!Number.isNaN(atMs)) return { atMs };
  throw new SvirtError(`Cannot read the time "${text}": the form must be like 10m or 2026-01-31 12:00`, {
    kind: "usage",
    remedy: "Write an age (30s, 10m, 2h, 3d) or a date: 2026-01-31, 2026-01-31T12:00, 2026-01-31T12:00:00Z.",
  });
}
