import type { SvirtError } from "../../../errors.ts";
import type { Launch } from "../../launch.ts";
import type { Guest } from "../../model/guest.ts";
import { cannotTranslate, notSettled } from "../../refusal.ts";

/** Where a display stands, and what its words depend on. */
export interface DisplayFacts {
  readonly path: string;
  readonly guest: Guest;
  readonly launch: Launch | undefined;
}

/** The `-audiodev` that a display plays: the one it names, or the first. */
export function audioWord({ guest, path }: DisplayFacts, id: number | undefined): string {
  const { audios } = guest.devices;
  const found = id === undefined ? audios[0] : audios.find((audio) => audio.id === id);
  if (found !== undefined) return `audio${found.id}`;
  throw cannotTranslate(
    `${path}/audio`,
    "there is no <audio> of that number",
    "Write <audio id='…'/> with that number.",
  );
}

/** The host's graphics card, which the reference looks for where the XML names none. */
export function renderNode(path: string, node: string | undefined): string {
  if (node !== undefined) return node;
  throw notSettled(`${path}/gl`, "which graphics card to use is not said", "Write rendernode='/dev/dri/…'.");
}

/** Which address a network has on the host, which the reference looks up at a start. */
export function networkUnknown(path: string): SvirtError {
  const why = "which address that network has is known only at a start";
  return notSettled(`${path}/listen`, why, "Write <listen type='address' address='…'/>.");
}
