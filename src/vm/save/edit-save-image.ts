import { fileKey } from "../../plan/facts/file-key.ts";
import { shellWord } from "../../report/shell-word.ts";
import type { Instance } from "../../state/instance.ts";
import { type EditableDefinition, type Edited, editDefinition } from "../define/edit-definition.ts";
import {
  changeManagedSave,
  changeSaveImage,
  findManagedSave,
  type SavedChange,
} from "./change-save-image.ts";
import { readSaveImage } from "./save-image.ts";

/** Whether the guest runs once it is restored; undefined: as the file says. */
type Resumes = SavedChange["resumes"];

/**
 * Lets the caller edit the XML in the file of a saved domain. With `resumes` the file changes even if its
 * text does not. Throws "wrong-state" if another edit runs, and as changeSaveImage(). cmdSaveImageEdit() of
 * libvirt's tools/virsh-domain.c
 */
export async function editSaveImage(instance: Instance, path: string, resumes: Resumes): Promise<Edited> {
  const { file } = readSaveImage(instance, path);
  const word = shellWord(path);
  return await editSaved(instance, resumes, {
    name: path,
    path,
    id: `save-image-${fileKey(file).replaceAll(/[^0-9a-zA-Z]/g, "-")}`,
    commands: { define: `save-image-define ${word}`, dumpxml: `save-image-dumpxml ${word}` },
    change: (change) => changeSaveImage(instance, path, change),
  });
}

/**
 * Lets the caller edit the XML in the managed save of a domain. Throws as editSaveImage() and
 * findManagedSave().
 */
export async function editManagedSave(instance: Instance, key: string, resumes: Resumes): Promise<Edited> {
  const { name, path, uuid } = findManagedSave(instance, key);
  return await editSaved(instance, resumes, {
    name,
    path,
    id: `managedsave-${uuid}`,
    commands: { define: `managedsave-define ${uuid}`, dumpxml: `managedsave-dumpxml ${uuid}` },
    change: (change) => changeManagedSave(instance, uuid, change),
  });
}

async function editSaved(
  instance: Instance,
  resumes: Resumes,
  saved: Pick<EditableDefinition, "name" | "id" | "commands"> & {
    readonly path: string;
    change(change: SavedChange): Promise<unknown>;
  },
): Promise<Edited> {
  const { change, commands, id, name, path } = saved;
  const read = (): string => readSaveImage(instance, path).xml;
  const edited = await editDefinition(instance, {
    ...{ commands, id, name },
    xml: read(),
    async store(bytes, refuseOther) {
      refuseOther(read());
      await change({ xml: bytes, resumes });
    },
  });
  if (edited.isChanged || resumes === undefined) return edited;
  await change({ xml: undefined, resumes });
  return { name, isChanged: true };
}
