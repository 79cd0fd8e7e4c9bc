import type { Exception } from "../isolation/exceptions.ts";

type Differs = (reason: string, ...ids: string[]) => Exception[  ...allowedInScene(
    "pages of the host's cache in a pipe are no open file and no mapping: docs/threat-model.md",
    "keep.pages",
  ),
];

const differs =
  (runs: Exception["runs"], verdict: Exception["verdict"]): Differs =>
  (reason, ...ids) =>
    ids.map((id) => ({ id, runs, verdict, reason }));

const allowed = differs(["kvm", "tcg"], "done");
const allowedInScene = differs(["kvm"], "done");

/** What a liar can do, and why that is so. One that has become untrue is a fault too. */
export const LIAR_EXCEPTIONS: readonly Exception[] = [
  ...allowed(
    "its folder is its own: it lets others see what is its own, and never what is another's",
    "folder.open",
  ),
  ...allowedInScene(
    "pages of the host's cache in a pipe are no open file and no mapping: docs/threat-model.md",
    "keep.pages",
  ),
];
