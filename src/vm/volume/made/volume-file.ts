import type { FileFacts } from "../../../host/files.ts";
import type { GivenFormat } from "../../../plan/facts/given-format.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { VolumeStep } from "../../../plan/steps/volume.ts";
import type { Actor, VolumeContent } from "../../../run/actor.ts";
import { formatFolder } from "../../../run/labels/format-mark.ts";
import { runVolume } from "../../../run/steps/volume.ts";
import { type Instance, registryOf } from "../../../state/instance.ts";
import type { NewVolume } from "../../../storage/volume/new-volume.ts";
import { decideVolumeLabel } from "../volume-label.ts";
import { alreadyThere } from "./made-volume.ts";

/** Place of a new volume: its path, and the folder with it. */
export interface VolumePlace {
  readonly folder: FileFacts;
  readonly path: string;
}

/**
 * New volume. `written`: the format of its content, which is recorded; undefined for an empty raw volume,
 * whose format the operator decides with the content.
 */
interface DecidedVolume {
  readonly decided: NewVolume;
  readonly written: GivenFormat | undefined;
}

/**
 * Returns the step that makes the file of a volume, with its owner, mode and label. Throws "in-use" if it
 * exists, "denied".
 */
export function volumeStep(
  instance: Instance,
  { folder, path }: VolumePlace,
  { decided, written }: DecidedVolume,
): StepOf<"make-volume"> {
  if (instance.host.inspectFile(path) !== undefined) throw alreadyThere(decided.name);
  const { capacityBytes, format, isNocow, name, permissions, reservedBytes } = decided;
  const { group: gid, label: requested, mode, owner: uid } = permissions;
  const label = decideVolumeLabel(instance, { path, folder: folder.id, requested });
  return {
    do: "make-volume",
    path,
    folder: folder.id,
    name,
    format,
    ...(capacityBytes === undefined ? {} : { capacityBytes }),
    reservedBytes,
    isNocow,
    mode,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(label === undefined ? {} : { label }),
    ...(written === undefined ? {} : { written }),
    formats: formatFolder(instance.paths.state),
  };
}

/** Makes the file of a volume, with this content. Throws as volumeStep(). */
export async function makeVolumeFile(
  instance: Instance,
  place: VolumePlace,
  { decided, written, ...content }: DecidedVolume & VolumeContent,
): Promise<void> {
  const step = volumeStep(instance, place, { decided, written });
  await runVolumeStep(instance, step, { contents: new Map([[place.path, content]]) });
}

/** Carries out a step on a volume. Throws the errors of the host. */
export async function runVolumeStep(
  instance: Instance,
  step: VolumeStep,
  { contents, onProgress }: { readonly [Name in "contents" | "onProgress"]?: Actor[Name] | undefined } = {},
): Promise<void> {
  const actor = {
    host: instance.host,
    registry: registryOf(instance),
    owner: "",
    uid: 0,
    ...(contents === undefined ? {} : { contents }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
  // Without the effects of all other steps, which are no part of these commands.
  // The compiler does not relate a step to the entry of its name.
  const run = runVolume[step.do] as (actor: Actor, step: VolumeStep) => void | Promise<void>;
  await run(actor, step);
}
