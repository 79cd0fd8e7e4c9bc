import type { KeptNotes } from "../../state/reports/domain-notes.ts";
import type { GuestEvent } from "./guest-events.ts";
import type { SeenFiles } from "./scan-folder.ts";

/** Returns the notes about domains added between two moments. */
export function compareNotes(
  before: SeenFiles<KeptNotes>,
  after: SeenFiles<KeptNotes>,
): readonly GuestEvent[] {
  return [...after].flatMap(([uuid, { mark, value }]) => {
    const known = before.get(uuid);
    if (known?.mark === mark) return [];
    const last = known?.value.notes.at(-1)?.number ?? 0;
    const { id, name, notes } = value;
    return notes
      .filter(({ number }) => number > last)
      .map(({ what }): GuestEvent => ({ of: "guest", name, uuid, id, happened: what.report, what }));
  });
}
