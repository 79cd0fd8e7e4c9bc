import { SvirtError, unlessRefused } from "../errors.ts";
import type { StepOf } from "../plan/steps/step.ts";
import { hasAutostartMark, setAutostartMark } from "./autostart-mark.ts";
import type { Instance } from "./instance.ts";
import { replaceStep } from "./text-step.ts";
import { canHaveFile, compareNames, ENDING, listXmlFiles, storedUuid } from "./xml-files.ts";

/** Endings of marks. qemuDomainSetAutostartOnce() of libvirt */
const MARKS = { always: ENDING, once: `${ENDING}.once` };

/** A defined domain. */
export interface Definition {
  readonly name: string;
  readonly uuid: string;
  readonly xml: string;
}

/** Lists the names of all defined domains, in libvirt's order: ignoring case. */
export function listDefinitionNames(instance: Instance): string[] {
  return listXmlFiles(instance.host, folder(instance)).sort(compareNames);
}

/**
 * Returns undefined if no domain of that name is defined. Throws "failed" if the file has no <uuid> where
 * svirt writes it.
 */
export function readDefinition(instance: Instance, name: string): Definition | undefined {
  if (!canHaveFile(name)) return undefined;
  const path = definitionPath(instance, name);
  const xml = instance.host.readText(path);
  if (xml === undefined) return undefined;
  const uuid = storedUuid(xml);
  if (uuid !== undefined) {
    instance.memory?.rememberName(uuid, name);
    return { name, uuid, xml };
  }
  throw damagedDefinition(instance, name);
}

/** Returns the error of a damaged definition. Without a cause, it has no UUID. */
export function damagedDefinition({ paths }: Instance, name: string, cause?: SvirtError): SvirtError {
  const path = definitionPath({ paths }, name);
  const why = cause?.message ?? "it has no <uuid> at the place where svirt writes it";
  return new SvirtError(`Cannot read the definition ${path}: ${why}`, {
    kind: "failed",
    remedy: `Define it again: mv ${path} /tmp && svirt define /tmp/${name}.xml`,
    cause,
  });
}

/**
 * Returns the defined domain of a UUID, under any name. Throws as readDefinition() for a damaged definition
 * that may have the UUID: its text has it, or cannot be read.
 */
export function definitionOf(instance: Instance, uuid: string): Definition | undefined {
  const likely = instance.memory?.nameOf(uuid);
  const remembered = likely === undefined ? undefined : unlessRefused(() => readDefinition(instance, likely));
  if (remembered?.uuid === uuid) return remembered;
  let found: Definition | undefined;
  const damaged: SvirtError[] = [];
  for (const name of listXmlFiles(instance.host, folder(instance))) {
    // With a memory, the others are read only to be remembered.
    if (found !== undefined && instance.memory === undefined) break;
    const definition = unlessRefused(
      () => readDefinition(instance, name),
      (error) => {
        if (mayHave(instance, name, uuid)) damaged.push(error);
      },
    );
    if (definition?.uuid === uuid) found ??= definition;
  }
  const [error] = damaged;
  if (found === undefined && error !== undefined) throw error;
  return found;
}

/** Whether a damaged definition may have the UUID. */
function mayHave({ host, paths }: Instance, name: string, uuid: string): boolean {
  const text = unlessRefused(() => host.readText(definitionPath({ paths }, name)));
  return text === undefined || text.toLowerCase().includes(uuid);
}

/** Writes the definition to disk before it returns. */
export function writeDefinition(instance: Instance, definition: Pick<Definition, "name" | "xml">): void {
  instance.host.makeFolder({ path: folder(instance), mode: 0o700 });
  instance.host.writeText(definitionPath(instance, definition.name), definition.xml, 0o600);
}

/** Removes the definition and its autostart marks. A missing definition is not an error. */
export function removeDefinition(instance: Instance, name: string): void {
  for (const when of ["always", "once"] as const) setAutostart(instance, name, { when, wanted: false });
  instance.host.removeFile(definitionPath(instance, name));
}

/** Boots of a marked domain: each, or the next. A domain may have both marks. */
export type BootMark = "always" | "once";

/** Returns whether the domain has this mark. */
export function isAutostarted(instance: Instance, name: string, when: BootMark = "always"): boolean {
  return hasAutostartMark(instance.host, { folder: autostartFolder(instance), name, ending: MARKS[when] });
}

/** Marks a domain to start at boot, by a symlink as libvirt does, or removes the mark. */
export function setAutostart(
  instance: Instance,
  name: string,
  { wanted, when }: { readonly wanted: boolean; readonly when: BootMark },
): void {
  const target = `../domains/${name}${ENDING}`;
  setAutostartMark(
    instance.host,
    { folder: autostartFolder(instance), name, target, ending: MARKS[when] },
    wanted,
  );
}

/** Returns the step that writes a definition, or without XML removes it. */
export function defineStep(
  instance: Instance,
  name: string,
  xml: string | undefined,
): StepOf<"replace-text"> {
  return replaceStep(instance.host, definitionPath(instance, name), xml);
}

/** Returns the step that marks a domain to start at boot, or removes the mark. */
export function markStep(
  instance: Instance,
  name: string,
  { wanted, when }: { readonly wanted: boolean; readonly when: BootMark },
): StepOf<"set-mark"> {
  return {
    do: "set-mark",
    path: `${autostartFolder(instance)}/${name}${MARKS[when]}`,
    target: `../domains/${name}${ENDING}`,
    isMarked: wanted,
    wasMarked: isAutostarted(instance, name, when),
  };
}

function folder({ paths }: Pick<Instance, "paths">): string {
  return `${paths.config}/domains`;
}

function autostartFolder(instance: Instance): string {
  return `${instance.paths.config}/autostart`;
}

function definitionPath(instance: Pick<Instance, "paths">, name: string): string {
  return `${folder(instance)}/${name}${ENDING}`;
}
