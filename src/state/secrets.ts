import { uuidOf } from "../domain/forms/uuid.ts";
import { SvirtError } from "../errors.ts";
import { listFoldersAbove } from "../plan/folder-of.ts";
import type { StepOf } from "../plan/steps/step.ts";
import { parseBase64 } from "../secret/value.ts";
import type { Instance } from "./instance.ts";
import { replaceStep } from "./text-step.ts";
import { ENDING } from "./xml-files.ts";

/** Where a secret is: in memory until the host is switched off, or on disk. */
export type SecretPlace = "memory" | "disk";

/** A secret's definition. */
export interface StoredSecret {
  readonly uuid: string;
  readonly xml: string;
  readonly place: SecretPlace;
}

/** A definition in memory supersedes a definition on disk: only an interrupted change leaves both. */
export const SECRET_PLACES: readonly SecretPlace[] = ["memory", "disk"];
/** File of a value, in Base64 as libvirt writes it. */
export const VALUE_ENDING = ".base64";
/** File systems without storage. A swapped page of theirs may be on disk, as of any process. */
const IN_MEMORY: ReadonlySet<string> = new Set(["tmpfs", "ramfs"]);

/** Lists the UUIDs of all secrets, sorted. */
export function listSecretUuids(instance: Instance): readonly string[] {
  return [...new Set(SECRET_PLACES.flatMap((place) => uuidsIn(instance, place, ENDING)))].sort();
}

/** Returns a secret's definition; undefined without a definition. */
export function readSecret(instance: Instance, uuid: string): StoredSecret | undefined {
  for (const place of SECRET_PLACES) {
    const xml = instance.host.readText(pathOf(instance, { uuid, place }, ENDING));
    if (xml !== undefined) return { uuid, xml, place };
  }
  return undefined;
}

/** Returns the path of a secret's definition. */
export function secretPath(instance: Instance, secret: SecretName): string {
  return pathOf(instance, secret, ENDING);
}

/** Returns the step that writes a definition to disk, or into memory, or without XML removes it. */
export function secretStep(
  instance: Instance,
  secret: SecretName,
  xml: string | undefined,
): StepOf<"replace-text"> {
  return replaceStep(instance.host, secretPath(instance, secret), xml);
}

/** Returns the value of a secret; undefined if it has none. */
export function readSecretValue(instance: Instance, secret: SecretName): Uint8Array | undefined {
  const text = instance.host.readText(pathOf(instance, secret, VALUE_ENDING));
  return text === undefined ? undefined : parseBase64(text);
}

/** Reports whether a place has a value of the secret. Its definition may be missing, or elsewhere. */
export function hasSecretValue(instance: Instance, secret: SecretName): boolean {
  return instance.host.inspectFile(valuePath(instance, secret)) !== undefined;
}

/** Returns the path of the file with a secret's value. */
export function valuePath(instance: Instance, secret: SecretName): string {
  return pathOf(instance, secret, VALUE_ENDING);
}

/** Throws "unsupported" if the place is memory by its name, but its folder is on a disk. */
export function refuseOnDisk(instance: Instance, place: SecretPlace): void {
  if (place === "disk") return;
  const { host } = instance;
  const path = folderOf(instance, place);
  // svirt makes the folder with the first file.
  const [found] = [path, ...listFoldersAbove(path)].flatMap((folder) => host.inspectFile(folder) ?? []);
  const [fileSystem] = found === undefined ? [] : host.getStorage(found.id).fileSystems;
  if (fileSystem === undefined || IN_MEMORY.has(fileSystem.type)) return;
  throw new SvirtError(
    `Cannot keep an ephemeral secret in ${path}: it is on ${fileSystem.type}, not in memory`,
    {
      kind: "unsupported",
      from: "SECRET",
      remedy: "Mount a tmpfs on /run, or define the secret with ephemeral='no'.",
    },
  );
}

/** A secret in a place. */
export type SecretName = Pick<StoredSecret, "uuid" | "place">;

function uuidsIn(instance: Instance, place: SecretPlace, ending: string): readonly string[] {
  return instance.host
    .listFolder(folderOf(instance, place))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .filter((stem) => uuidOf(stem) === stem);
}

function folderOf({ paths }: Instance, place: SecretPlace): string {
  return `${place === "memory" ? paths.run : paths.config}/secrets`;
}

function pathOf(instance: Instance, { place, uuid }: SecretName, ending: string): string {
  return `${folderOf(instance, place)}/${uuid}${ending}`;
}
