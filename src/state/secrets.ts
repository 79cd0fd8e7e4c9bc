import { uuidOf } from "../domain/forms/uuid.ts";
import { SvirtError } from "../errors.ts";
import { parseBase64 } from "../secret/value.ts";
import type { Instance } from "./instance.ts";
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
const PLACES: readonly SecretPlace[] = ["memory", "disk"];
/** File of a value, in Base64 as libvirt writes it. */
export const VALUE_ENDING = ".base64";
/** File of a text left by an interrupted call before its move into place. */
const PARTIAL_ENDING = ".new";
/** Only svirt's user reads the files. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** File systems without storage. A swapped page of theirs may be on disk, as of any process. */
const IN_MEMORY: ReadonlySet<string> = new Set(["tmpfs", "ramfs"]);

/** Lists the UUIDs of all secrets, sorted. */
export function listSecretUuids(instance: Instance): readonly string[] {
  return [...new Set(PLACES.flatMap((place) => uuidsIn(instance, place, ENDING)))].sort();
}

/** Returns a secret's definition; undefined without a definition. */
export function readSecret(instance: Instance, uuid: string): StoredSecret | undefined {
  for (const place of PLACES) {
    const xml = instance.host.readText(pathOf(instance, { uuid, place }, ENDING));
    if (xml !== undefined) return { uuid, xml, place };
  }
  return undefined;
}

/** Returns the path of a secret's definition. */
export function secretPath(instance: Instance, secret: SecretName): string {
  return pathOf(instance, secret, ENDING);
}

/**
 * Writes a definition to disk, or into memory, before it returns. Throws "unsupported" if /run is no memory.
 */
export function writeSecret(instance: Instance, secret: StoredSecret): void {
  makeFolder(instance, secret.place);
  instance.host.writeText(pathOf(instance, secret, ENDING), secret.xml, FILE_MODE);
}

/** Removes a definition, then its value. */
export function removeSecret({ host, ...rest }: Instance, secret: SecretName): void {
  for (const ending of [ENDING, VALUE_ENDING]) host.removeFile(pathOf({ host, ...rest }, secret, ending));
}

/** Returns the value of a secret; undefined if it has none. */
export function readSecretValue(instance: Instance, secret: SecretName): Uint8Array | undefined {
  const text = instance.host.readText(pathOf(instance, secret, VALUE_ENDING));
  return text === undefined ? undefined : parseBase64(text);
}

/** Writes the value of a secret as writeSecret() writes its definition. */
export function writeSecretValue(instance: Instance, secret: SecretName, value: Uint8Array): void {
  makeFolder(instance, secret.place);
  instance.host.writeText(pathOf(instance, secret, VALUE_ENDING), value.toBase64(), FILE_MODE);
}

/** Returns the path of the file with a secret's value. */
export function valuePath(instance: Instance, secret: SecretName): string {
  return pathOf(instance, secret, VALUE_ENDING);
}

/**
 * Removes what interrupted calls have left: partial files, values without a definition in the same place, and
 * definitions on disk of secrets that are in memory. The caller holds the registry's lock.
 */
export function removeLeftovers(instance: Instance): void {
  const { host } = instance;
  for (const place of PLACES) {
    const folder = folderOf(instance, place);
    for (const file of host.listFolder(folder)) {
      const [stem = "", ending = ""] = splitName(file);
      const isLeft =
        ending === PARTIAL_ENDING ||
        (uuidOf(stem) === stem && ending !== "" && readSecret(instance, stem)?.place !== place);
      if (isLeft) host.removeFile(`${folder}/${file}`);
    }
  }
}

type SecretName = Pick<StoredSecret, "uuid" | "place">;

/** Returns the parts of a name that svirt has written; none of any other. */
function splitName(file: string): readonly string[] {
  const ending = [PARTIAL_ENDING, ENDING, VALUE_ENDING].find((one) => file.endsWith(one));
  return ending === undefined ? [] : [file.slice(0, -ending.length), ending];
}

function uuidsIn(instance: Instance, place: SecretPlace, ending: string): readonly string[] {
  return instance.host
    .listFolder(folderOf(instance, place))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .filter((stem) => uuidOf(stem) === stem);
}

function makeFolder(instance: Instance, place: SecretPlace): void {
  const { host } = instance;
  const path = folderOf(instance, place);
  host.makeFolder({ path, mode: FOLDER_MODE });
  const found = place === "memory" ? host.inspectFile(path) : undefined;
  if (found === undefined) return;
  const [fileSystem] = host.getStorage(found.id).fileSystems;
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

function folderOf({ paths }: Instance, place: SecretPlace): string {
  return `${place === "memory" ? paths.run : paths.config}/secrets`;
}

function pathOf(instance: Instance, { place, uuid }: SecretName, ending: string): string {
  return `${folderOf(instance, place)}/${uuid}${ending}`;
}
