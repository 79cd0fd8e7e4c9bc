import type { SvirtError } from "../../../errors.ts";
import type { Launch } from "../../launch.ts";
import type { Guest } from "../../model/guest.ts";
import { cannotTranslate, hostDependent } from "../../refusal.ts";

/** Path of a display in the XML, and the context of its arguments. */
export interface DisplayFacts {
  readonly path: string;
  readonly guest: Guest;
  readonly launch: Launch | undefined;
}

/** Returns the `-audiodev` of a display: the named device, or the first. Throws "unsupported". */
export function audioWord({ guest, path }: DisplayFacts, id: number | undefined): string {
  const { audios } = guest.devices;
  const found = id === undefined ? audios[0] : audios.find((audio) => audio.id === id);
  if (found !== undefined) return `audio${found.id}`;
  throw cannotTranslate(
    `${path}/audio`,
    "no <audio> has that number",
    "Write <audio id='…'/> with that number.",
  );
}

/**
 * Returns the render node. Refuses a display without a node, for which libvirt searches the host. Throws
 * "unsupported".
 */
export function renderNode(path: string, node: string | undefined): string {
  if (node !== undefined) return node;
  throw hostDependent(
    `${path}/gl`,
    "the host's graphics card is not named",
    "Write rendernode='/dev/dri/…'.",
  );
}

/** Returns the refusal of a listen network, whose address libvirt looks up at a start. */
export function networkUnknown(path: string): SvirtError {
  const why = "the address of a network is known only at a start";
  return hostDependent(`${path}/listen`, why, "Write <listen type='address' address='…'/>.");
}
